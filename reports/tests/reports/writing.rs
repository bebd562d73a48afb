//! Reports reach their files whole, and what cannot be is said clearly.

use std::fs;

use mcp_verdict_reports::{Format, ReportSpec, json, junit, write};

use crate::fixture::run;

fn specs(folder: &std::path::Path, texts: &[&str]) -> Vec<ReportSpec> {
    texts
        .iter()
        .map(|text| {
            let mut spec: ReportSpec = text.parse().unwrap();
            spec.path = folder.join(&spec.path);
            spec
        })
        .collect()
}

#[test]
fn a_spec_names_format_and_path() {
    let spec: ReportSpec = "junit=out/a=b.xml".parse().unwrap();
    assert_eq!(
        spec,
        ReportSpec {
            format: Format::Junit,
            path: "out/a=b.xml".into()
        }
    );
    assert_eq!(spec.to_string(), "junit=out/a=b.xml");
}

#[test]
fn a_spec_that_is_wrong_says_what_to_write() {
    let error = |text: &str| text.parse::<ReportSpec>().unwrap_err().to_string();
    assert_eq!(
        error("junit"),
        "report `junit` names no file; write `junit=PATH`"
    );
    assert_eq!(
        error("json="),
        "report `json=` names no file; write `json=PATH`"
    );
    assert_eq!(
        error("a/b.html"),
        "report `a/b.html` names no format; write `html=a/b.html`"
    );
    assert_eq!(
        error("x"),
        "report `x` names no format; write `html=PATH`, `json=PATH` or `junit=PATH`"
    );
    assert_eq!(
        error("xml=a"),
        "unknown report format `xml`; known are html, json, junit; did you mean `junit`?"
    );
}

#[test]
fn reports_are_written_whole_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.json"), "old").unwrap();
    let specs = specs(
        folder.path(),
        &["json=a.json", "junit=new/folder/b.xml", "html=c.html"],
    );
    write(&run(), &specs).unwrap();
    assert_eq!(
        fs::read_to_string(folder.path().join("a.json")).unwrap(),
        json(&run())
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("new/folder/b.xml")).unwrap(),
        junit(&run())
    );
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["a.json", "c.html", "new"]);
}

#[test]
fn a_folder_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    let error = write(&run(), &specs(folder.path(), &["json=a"]))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("write report `") && error.ends_with("a`: it is a folder"),
        "{error}"
    );
}

#[test]
fn two_reports_for_one_file_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let error = write(&run(), &specs(folder.path(), &["json=a", "html=a"])).unwrap_err();
    assert!(
        error.to_string().ends_with("two reports are to go there"),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_link_keeps_leading_to_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    write(&run(), &specs(folder.path(), &["json=link"])).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap(), json(&run()));
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_stays() {
    let device = std::path::Path::new("/dev/null");
    write(&run(), &specs(device.parent().unwrap(), &["json=null"])).unwrap();
    assert!(!fs::metadata(device).unwrap().is_file());
}
