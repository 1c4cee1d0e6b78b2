//! The licence texts of all that is in a program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::crates::Crates;
use crate::error::{Error, Result, at};
use crate::files;

/// How deep below a crate's folder a text is looked for: C code brings its own beside it.
const DEPTH: usize = 3;

const NOT_STATED: &str = "not stated";
/// How the place of a package of the project itself starts, in its package URL.
const OWN: &str = "download_url=file://";

/// Writes a folder for each component into `output`, and a list of them.
pub(crate) fn collect(
    bom: &Value,
    crates: &Crates,
    source: &Path,
    given: &[(String, String)],
    output: &Path,
) -> Result<()> {
    let components = bom["components"]
        .as_array()
        .ok_or(Error::Bom("the bill", "components"))?;
    let own = &bom["metadata"]["component"];
    let mut unused: BTreeSet<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
    let mut index = Vec::new();
    for component in std::iter::once(own).chain(components) {
        // Tools are no part of the program, crates that only take part in building it are.
        let of_cargo = text(component, "purl").starts_with("pkg:cargo/");
        if component["scope"] == "excluded" && !of_cargo {
            continue;
        }
        let (name, version) = (text(component, "name"), text(component, "version"));
        let texts: Vec<(String, Vec<u8>)> =
            if let Some((_, file)) = given.iter().find(|(given, _)| given == name) {
                unused.remove(name);
                let path = PathBuf::from(file);
                let all = if path.is_dir() {
                    files::entries(&path)?
                } else {
                    vec![path]
                };
                all.iter()
                    .map(|path| Ok((file_name(path), files::read(path)?)))
                    .collect::<Result<_>>()?
            } else {
                let found = match folder(component, crates, source)? {
                    Some(folder) => found(&folder)?,
                    None => Vec::new(),
                };
                // What the project's own packages are under is for their owner to say, or not.
                if !found.is_empty() || (is_own(component) && licence(component) == NOT_STATED) {
                    found
                } else {
                    of_the_list(component)?
                }
            };

        let folder = format!("{name}-{version}");
        let at_folder = output.join(&folder);
        fs::create_dir_all(&at_folder).map_err(at(&at_folder))?;
        for (file, bytes) in &texts {
            files::write(&at_folder.join(file), bytes)?;
        }
        index.push(format!("{folder}: {}\n", licence(component)));
    }
    if let Some(name) = unused.into_iter().next() {
        return Err(Error::NeedlessText(name.into()));
    }
    files::write(&output.join("LICENCES"), index.concat().as_bytes())
}

fn text<'bom>(component: &'bom Value, name: &str) -> &'bom str {
    component[name].as_str().unwrap_or("")
}

/// What a component's manifest says its licence is.
fn licence(component: &Value) -> String {
    let stated = component["licenses"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            let known = [
                &entry["expression"],
                &entry["license"]["id"],
                &entry["license"]["name"],
            ];
            known.into_iter().find_map(Value::as_str).unwrap_or("")
        });
    let stated: Vec<_> = stated.collect();
    if stated.is_empty() {
        NOT_STATED.into()
    } else {
        stated.join(" AND ")
    }
}

fn is_own(component: &Value) -> bool {
    text(component, "purl").contains(OWN)
}

/// Where a component's files are: a vendored crate, or a package of the project; of other things nowhere.
fn folder(component: &Value, crates: &Crates, source: &Path) -> Result<Option<PathBuf>> {
    let (name, version) = (text(component, "name"), text(component, "version"));
    let purl = text(component, "purl");
    if !purl.starts_with("pkg:cargo/") {
        return Ok(None);
    }
    let Some((_, below)) = purl.split_once(OWN) else {
        return match crates.get(name, version) {
            Some(known) => Ok(Some(known.folder.clone())),
            None => Err(Error::NotVendored {
                name: name.into(),
                version: version.into(),
            }),
        };
    };
    let below = below.split('#').next().unwrap_or("");
    let own = source.join(below);
    // The text of a workspace is that of its members, unless they have their own.
    let has_text = own.is_dir() && !found(&own)?.is_empty();
    Ok(Some(if has_text { own } else { source.into() }))
}

/// Texts in a folder; those further below have their path in the name.
fn found(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut texts = Vec::new();
    for path in candidates(folder, DEPTH)? {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        let name = name.display().to_string().replace('/', "-");
        texts.push((name, files::read(&path)?));
    }
    Ok(texts)
}

fn candidates(folder: &Path, depth: usize) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in files::entries(folder)? {
        let name = file_name(&path);
        if path.is_dir() {
            let is_product = ["target", ".git"].contains(&name.as_str());
            if depth > 0 && !is_product && !path.is_symlink() {
                found.extend(candidates(&path, depth - 1)?);
            }
        } else if is_licence(&name) && path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether a file of this name is a licence or what a licence wants to be passed on.
fn is_licence(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (stem, extension) = name.split_once('.').unwrap_or((&name, ""));
    let is_code = ["rs", "c", "h", "py", "json", "toml", "html"].contains(&extension);
    let known = [
        "license",
        "licence",
        "copying",
        "copyright",
        "notice",
        "unlicense",
        "patents",
    ];
    !is_code && known.iter().any(|known| stem.starts_with(known))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The texts of the licences that a component's manifest names, for one that has none itself.
fn of_the_list(component: &Value) -> Result<Vec<(String, Vec<u8>)>> {
    let stated = licence(component);
    let unknown = || Error::NoLicence {
        name: text(component, "name").into(),
        version: text(component, "version").into(),
        licence: stated.clone(),
    };
    let expression = Expression::parse_mode(&stated, ParseMode::LAX).map_err(|_| unknown())?;
    let mut texts = Vec::new();
    for requirement in expression.requirements() {
        let licence = requirement.req.license.id().ok_or_else(unknown)?;
        texts.push((
            format!("{}.txt", licence.name),
            licence.text().as_bytes().to_vec(),
        ));
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_licences_are_told_from_code() {
        for name in [
            "LICENSE",
            "LICENSE-MIT",
            "license.txt",
            "COPYING.LESSER",
            "NOTICE",
            "UNLICENSE",
            "licence.md",
            "Copyright",
        ] {
            assert!(is_licence(name), "{name}");
        }
        for name in [
            "license.rs",
            "licensing.h",
            "README.md",
            "lib.rs",
            "LICENSE.html",
            "unlicensed_list.json",
        ] {
            assert!(!is_licence(name), "{name}");
        }
    }

    struct Case {
        folder: tempfile::TempDir,
        components: Vec<Value>,
    }

    impl Case {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            for name in ["vendor", "source/member"] {
                fs::create_dir_all(folder.path().join(name)).unwrap();
            }
            fs::write(folder.path().join("source/LICENSE"), "of the workspace").unwrap();
            Self {
                folder,
                components: Vec::new(),
            }
        }

        fn vendored(mut self, name: &str, licence: &str, files: &[&str]) -> Self {
            let at = self.folder.path().join("vendor").join(name);
            fs::create_dir_all(at.join("c/deep")).unwrap();
            let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
            fs::write(at.join("Cargo.toml"), manifest).unwrap();
            for file in files {
                fs::write(at.join(file), format!("{name} {file}")).unwrap();
            }
            self.components.push(json!({
                "name": name, "version": "1.0.0", "purl": format!("pkg:cargo/{name}@1.0.0"),
                "licenses": [{ "expression": licence }],
            }));
            self
        }

        fn collect(&self, given: &[(String, String)]) -> Result<Vec<String>> {
            let bom = json!({
                "metadata": { "component": {
                    "name": "own", "version": "0.1.0",
                    "purl": "pkg:cargo/own@0.1.0?download_url=file://member#src/main.rs",
                }},
                "components": self.components,
            });
            let at = |name: &str| self.folder.path().join(name);
            let crates = Crates::read(&[at("vendor")])?;
            collect(&bom, &crates, &at("source"), given, &at("out"))?;
            Ok(files::below(&at("out"))?
                .iter()
                .map(|path| path.strip_prefix(at("out")).unwrap().display().to_string())
                .collect())
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.folder.path().join("out").join(name)).unwrap()
        }
    }

    #[test]
    fn texts_are_those_of_the_crate_and_of_the_c_code_in_it() {
        let case = Case::new().vendored(
            "zstd-sys",
            "MIT",
            &["LICENSE-MIT", "c/deep/COPYING", "c/a.c"],
        );
        let found = case.collect(&[]).unwrap();
        let expected = [
            "LICENCES",
            "own-0.1.0/LICENSE",
            "zstd-sys-1.0.0/LICENSE-MIT",
            "zstd-sys-1.0.0/c-deep-COPYING",
        ];
        assert_eq!(found, expected);
        assert_eq!(case.read("own-0.1.0/LICENSE"), "of the workspace");
        assert_eq!(
            case.read("LICENCES"),
            "own-0.1.0: not stated\nzstd-sys-1.0.0: MIT\n"
        );
    }

    #[test]
    fn a_crate_without_a_text_gets_those_of_the_list() {
        let case = Case::new().vendored("bare", "MIT OR Apache-2.0", &[]);
        let found = case.collect(&[]).unwrap();
        assert!(
            found.contains(&"bare-1.0.0/MIT.txt".to_owned()),
            "{found:?}"
        );
        assert!(
            case.read("bare-1.0.0/Apache-2.0.txt")
                .contains("Apache License")
        );
    }

    #[test]
    fn a_crate_without_any_is_named_and_can_be_given_one() {
        let case = Case::new().vendored("closed", "LicenseRef-Unknown", &[]);
        let said = case.collect(&[]).unwrap_err().to_string();
        assert!(
            said.contains("closed 1.0.0") && said.contains("licences.closed"),
            "{said}"
        );

        let file = case.folder.path().join("theirs.txt");
        fs::write(&file, "as they wrote to us").unwrap();
        let given = [("closed".to_owned(), file.display().to_string())];
        case.collect(&given).unwrap();
        assert_eq!(case.read("closed-1.0.0/theirs.txt"), "as they wrote to us");
    }

    #[test]
    fn the_projects_own_packages_may_have_none() {
        let case = Case::new();
        fs::remove_file(case.folder.path().join("source/LICENSE")).unwrap();
        assert_eq!(case.collect(&[]).unwrap(), ["LICENCES"]);
        assert_eq!(case.read("LICENCES"), "own-0.1.0: not stated\n");
    }

    #[test]
    fn a_text_for_nothing_is_refused() {
        let given = [("gone".to_owned(), "/dev/null".to_owned())];
        let said = Case::new().collect(&given).unwrap_err().to_string();
        assert!(said.contains("gone"), "{said}");
    }

    #[test]
    fn a_crate_that_is_not_there_is_named() {
        let mut case = Case::new();
        case.components
            .push(json!({ "name": "lost", "version": "1.0.0", "purl": "pkg:cargo/lost@1.0.0" }));
        let said = case.collect(&[]).unwrap_err().to_string();
        assert!(said.contains("lost 1.0.0"), "{said}");
    }
}
