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

/// Where a project that follows REUSE (<https://reuse.software>) keeps all texts.
const LICENCES_OF_REUSE: &str = "LICENSES";

const NOT_STATED: &str = "not stated";
/// How the place of a package of the project itself starts, in its package URL.
const OWN: &str = "download_url=file://";

/// Where the project's own packages are.
pub(crate) struct Project<'paths> {
    /// The folder of the workspace.
    pub(crate) root: &'paths Path,
    /// The folder of the package that is released.
    pub(crate) package: &'paths Path,
}

/// A text to pass on: what its file is called, and what is in it.
type Text = (String, Vec<u8>);

/// Writes a folder for each component into `output`, and a list of them.
pub(crate) fn collect(
    bom: &Value,
    crates: &Crates,
    project: &Project,
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
        // Tools are no part of the program. Crates that only take part in building it have their texts here as well.
        let of_cargo = text(component, "purl").starts_with("pkg:cargo/");
        if component["scope"] == "excluded" && !of_cargo {
            continue;
        }
        let (name, version) = (text(component, "name"), text(component, "version"));
        let texts = match given.iter().find(|(given, _)| given == name) {
            Some((_, file)) => {
                unused.remove(name);
                of_files(Path::new(file))?
            }
            None => of_component(component, crates, project)?,
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

/// A file, or all files of a folder.
fn of_files(path: &Path) -> Result<Vec<Text>> {
    let all = if path.is_dir() {
        files::entries(path)?
    } else {
        vec![path.into()]
    };
    all.iter()
        .map(|path| Ok((file_name(path), files::read(path)?)))
        .collect()
}

fn of_component(component: &Value, crates: &Crates, project: &Project) -> Result<Vec<Text>> {
    let purl = text(component, "purl");
    if !purl.starts_with("pkg:cargo/") {
        return of_the_list(component);
    }
    if let Some((_, below)) = purl.split_once(OWN) {
        let below = below.split('#').next().unwrap_or("");
        return of_own(component, &project.package.join(below), project.root);
    }
    let (name, version) = (text(component, "name"), text(component, "version"));
    let known = crates
        .get(name, version)
        .ok_or_else(|| Error::NotVendored {
            name: name.into(),
            version: version.into(),
        })?;
    let mut paths = candidates(&known.folder, DEPTH, false)?;
    if let Some(file) = &known.licence_file {
        let file = known.folder.join(file);
        if file.is_file() && !paths.contains(&file) {
            paths.push(file);
        }
    }
    // A text further below is that of other code than the crate's own.
    let has_own = paths.iter().any(|path| {
        let inside = path.strip_prefix(&known.folder).unwrap_or(path);
        inside.components().count() == 1 || inside.starts_with(LICENCES_OF_REUSE)
    });
    let mut texts = named(&known.folder, &paths)?;
    if !has_own {
        match of_the_list(component) {
            Ok(listed) => texts.extend(listed),
            Err(error) if texts.is_empty() => return Err(error),
            Err(_) => {}
        }
    }
    Ok(texts)
}

/// The texts of one of the project's own packages: its own, else those of the workspace. What they are under is for their
/// owner to say, or not.
fn of_own(component: &Value, folder: &Path, root: &Path) -> Result<Vec<Text>> {
    let folder = folder.canonicalize().unwrap_or_else(|_| root.into());
    let mut paths = candidates(&folder, DEPTH, true)?;
    let mut texts = named(&folder, &paths)?;
    if !paths.iter().any(|path| path.parent() == Some(&folder)) {
        paths = candidates(root, 0, true)?;
        texts.extend(named(root, &paths)?);
    }
    if texts.is_empty() && licence(component) != NOT_STATED {
        return of_the_list(component);
    }
    Ok(texts)
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

/// Files below `folder` as texts; those further below have their path in the name.
fn named(folder: &Path, paths: &[PathBuf]) -> Result<Vec<Text>> {
    paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap_or(path);
            let name = name.display().to_string().replace('/', "-");
            Ok((name, files::read(path)?))
        })
        .collect()
}

/// The files that look like texts of licences, down to a depth. With `alone`, folders of other packages are left out.
fn candidates(folder: &Path, depth: usize, alone: bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in files::entries(folder)? {
        let name = file_name(&path);
        if path.is_dir() {
            let is_product = ["target", ".git"].contains(&name.as_str());
            let is_other = alone && path.join("Cargo.toml").exists();
            if depth == 0 || is_product || is_other || path.is_symlink() {
                continue;
            }
            if name == LICENCES_OF_REUSE {
                found.extend(files::below(&path)?);
            } else {
                found.extend(candidates(&path, depth - 1, alone)?);
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
    let at_the_end = ["-license", "-licence", "_license", "_licence"];
    let is_named = known.iter().any(|known| stem.starts_with(known))
        || at_the_end.iter().any(|known| stem.ends_with(known));
    !is_code && is_named
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
        if let Some(exception) = requirement
            .req
            .addition
            .as_ref()
            .and_then(spdx::AdditionItem::id)
        {
            texts.push((
                format!("{}.txt", exception.name),
                exception.text().as_bytes().to_vec(),
            ));
        }
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
            "libsais-LICENSE",
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
        licence: Option<&'static str>,
    }

    impl Case {
        /// A workspace with the packages app and lib and a package of C code, the first of which is released.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let case = Self {
                folder,
                components: Vec::new(),
                licence: None,
            };
            case.write("source/LICENSE", "of the workspace");
            case.write("source/app/Cargo.toml", "");
            case.write("source/lib/Cargo.toml", "");
            fs::create_dir(case.at("vendor")).unwrap();
            case
        }

        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.at(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn vendored(mut self, name: &str, licence: &str, files: &[&str]) -> Self {
            let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
            self.write(&format!("vendor/{name}/Cargo.toml"), &manifest);
            for file in files {
                self.write(&format!("vendor/{name}/{file}"), &format!("{name} {file}"));
            }
            self.components.push(json!({
                "name": name, "version": "1.0.0", "purl": format!("pkg:cargo/{name}@1.0.0"),
                "licenses": [{ "expression": licence }],
            }));
            self
        }

        /// As cargo-cyclonedx writes it: the place is seen from the package that is released.
        fn with_lib(mut self) -> Self {
            self.components.push(json!({
                "name": "lib", "version": "1.0.0", "purl": "pkg:cargo/lib@1.0.0?download_url=file://../lib",
            }));
            self
        }

        fn collect(&self, given: &[(String, String)]) -> Result<Vec<String>> {
            let mut bom = json!({
                "metadata": { "component": {
                    "name": "app", "version": "0.1.0",
                    "purl": "pkg:cargo/app@0.1.0?download_url=file://.",
                }},
                "components": self.components,
            });
            if let Some(licence) = self.licence {
                bom["metadata"]["component"]["licenses"] = json!([{ "expression": licence }]);
            }
            let crates = Crates::read(&[self.at("vendor")])?;
            let project = Project {
                root: &self.at("source").canonicalize().unwrap(),
                package: &self.at("source/app"),
            };
            collect(&bom, &crates, &project, given, &self.at("out"))?;
            Ok(files::below(&self.at("out"))?
                .iter()
                .map(|path| {
                    path.strip_prefix(self.at("out"))
                        .unwrap()
                        .display()
                        .to_string()
                })
                .collect())
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.at("out").join(name)).unwrap()
        }
    }

    #[test]
    fn texts_are_those_of_the_crate_and_of_the_c_code_in_it() {
        let files = ["LICENSE-MIT", "c/deep/COPYING", "c/a.c", "c/sort-LICENSE"];
        let case = Case::new().vendored("zstd-sys", "MIT", &files);
        let found = case.collect(&[]).unwrap();
        let expected = [
            "LICENCES",
            "app-0.1.0/LICENSE",
            "zstd-sys-1.0.0/LICENSE-MIT",
            "zstd-sys-1.0.0/c-deep-COPYING",
            "zstd-sys-1.0.0/c-sort-LICENSE",
        ];
        assert_eq!(found, expected);
        assert_eq!(
            case.read("LICENCES"),
            "app-0.1.0: not stated\nzstd-sys-1.0.0: MIT\n"
        );
    }

    #[test]
    fn a_crate_without_a_text_of_its_own_gets_those_of_the_list() {
        let licence = "MIT OR Apache-2.0 WITH LLVM-exception";
        let case =
            Case::new()
                .vendored("bare", licence, &[])
                .vendored("wraps", "MIT", &["c/license.txt"]);
        let found = case.collect(&[]).unwrap();
        let expected = [
            "LICENCES",
            "app-0.1.0/LICENSE",
            "bare-1.0.0/Apache-2.0.txt",
            "bare-1.0.0/LLVM-exception.txt",
            "bare-1.0.0/MIT.txt",
            "wraps-1.0.0/MIT.txt",
            "wraps-1.0.0/c-license.txt",
        ];
        assert_eq!(found, expected);
        assert!(
            case.read("bare-1.0.0/Apache-2.0.txt")
                .contains("Apache License")
        );
    }

    #[test]
    fn texts_under_other_names_are_found() {
        let case = Case::new().vendored("half", "MIT", &["LICENSES/MIT.txt", "LICENSE"]);
        let mut case = case.vendored("named", "LicenseRef-Own", &["terms.txt"]);
        let manifest =
            "[package]\nname = \"named\"\nversion = \"1.0.0\"\nlicense-file = \"terms.txt\"\n";
        case.write("vendor/named/Cargo.toml", manifest);
        case.components.rotate_left(1);
        let found = case.collect(&[]).unwrap();
        for name in [
            "half-1.0.0/LICENSES-MIT.txt",
            "half-1.0.0/LICENSE",
            "named-1.0.0/terms.txt",
        ] {
            assert!(found.contains(&name.to_owned()), "{name}: {found:?}");
        }
    }

    #[test]
    fn packages_of_the_project_have_their_own_texts_else_those_of_the_workspace() {
        let case = Case::new().with_lib();
        case.write("source/lib/COPYING", "of lib");
        case.write("source/app/c/LICENSE", "of C code in app");
        case.write("source/other/Cargo.toml", "");
        case.write("source/other/LICENSE", "of none that is in the program");
        let found = case.collect(&[]).unwrap();
        let expected = [
            "LICENCES",
            "app-0.1.0/LICENSE",
            "app-0.1.0/c-LICENSE",
            "lib-1.0.0/COPYING",
        ];
        assert_eq!(found, expected);
        assert_eq!(case.read("app-0.1.0/LICENSE"), "of the workspace");
        assert_eq!(case.read("lib-1.0.0/COPYING"), "of lib");
    }

    #[test]
    fn packages_of_the_project_may_have_none() {
        let mut case = Case::new();
        fs::remove_file(case.at("source/LICENSE")).unwrap();
        assert_eq!(case.collect(&[]).unwrap(), ["LICENCES"]);
        assert_eq!(case.read("LICENCES"), "app-0.1.0: not stated\n");
        case.licence = Some("MIT");
        assert_eq!(
            case.collect(&[]).unwrap(),
            ["LICENCES", "app-0.1.0/MIT.txt"]
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

        case.write("theirs.txt", "as they wrote to us");
        let given = [(
            "closed".to_owned(),
            case.at("theirs.txt").display().to_string(),
        )];
        case.collect(&given).unwrap();
        assert_eq!(case.read("closed-1.0.0/theirs.txt"), "as they wrote to us");
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
