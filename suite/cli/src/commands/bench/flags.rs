//! The part of the command line that a figure depends on, and that cannot hold a secret.

/// Flags that are told, and whether a value follows.
const TOLD: [(&str, &str, bool); 21] = [
    ("--connections", "-c", true),
    ("--threads", "", true),
    ("--rate", "-r", true),
    ("--arrivals", "", true),
    ("--duration", "-d", true),
    ("--requests", "-n", true),
    ("--warm-up", "", true),
    ("--repeat", "", true),
    ("--call", "", true),
    ("--payload", "", true),
    ("--ping", "", false),
    ("--discover", "", false),
    ("--list", "", true),
    ("--session", "", false),
    ("--objective", "", true),
    ("--find-limit", "", false),
    ("--no-calibration", "", false),
    ("--seed", "", true),
    ("--revision", "", true),
    ("--transport", "", true),
    ("--timeout", "", true),
];

/// What of a command line is told. Arguments of tools are left out.
pub(super) fn told(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut told = Vec::new();
    let mut arguments = arguments.take_while(|word| word != "--");
    while let Some(word) = arguments.next() {
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let known = TOLD
            .iter()
            .find(|(long, short, _)| *long == name || (!short.is_empty() && *short == name));
        let Some((long, _, has_value)) = known else {
            continue;
        };
        if *has_value && value.is_none() {
            value = arguments.next();
        }
        told.push((*long).to_owned());
        if let Some(value) = value {
            let shown = match *long {
                "--call" => value.split('=').next().unwrap_or_default().to_owned(),
                _ => value,
            };
            told.push(shown);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_told() {
        let line = "bench http://me:secret@h/ --header X:secret -c 4 --call echo={\"t\":\"secret\"} --rate=5 \
                    --bearer-env TOKEN --ping -- node secret.js --seed 3";
        let told = told(line.split(' ').map(str::to_owned));
        assert_eq!(
            told,
            [
                "--connections",
                "4",
                "--call",
                "echo",
                "--rate",
                "5",
                "--ping"
            ]
        );
    }
}
