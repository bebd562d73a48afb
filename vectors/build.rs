//! Lists the shipped YAML files for the loader, so that a new file is found without any Rust.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// Folders of this crate that hold no requirements, rules or vectors.
const OTHER_FOLDERS: [&str; 6] = ["profiles", "schema", "schemas", "src", "target", "tests"];

fn main() -> io::Result<()> {
    // A folder is scanned whole, so a file that is added anywhere below starts this again.
    println!("cargo::rerun-if-changed=.");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let mut paths = Vec::new();
    for entry in fs::read_dir(&root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !OTHER_FOLDERS.contains(&name.as_str()) && !name.starts_with('.') {
            collect(&entry.path(), &mut paths)?;
        }
    }
    paths.sort();

    let mut list = String::from("&[\n");
    for path in paths {
        let below = path.strip_prefix(&root).map_err(io::Error::other)?;
        let name = below.to_string_lossy().replace('\\', "/");
        list.push_str(&format!(
            "    ({name:?}, include_str!({:?})),\n",
            path.to_string_lossy()
        ));
    }
    list.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(out.join("files.rs"), list)
}

/// Adds the YAML files at and below `path`.
fn collect(path: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), paths)?;
        }
    } else if path
        .extension()
        .is_some_and(|extension| extension == "yaml")
    {
        paths.push(path.to_path_buf());
    }
    Ok(())
}
