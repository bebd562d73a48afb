//! Every format checked against one table, against its own rules, and with hostile texts.

#[cfg(test)]
mod benchmark;
#[cfg(test)]
mod comparison;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod page;
#[cfg(test)]
mod summary;
#[cfg(test)]
mod writing;
#[cfg(test)]
mod xml;
