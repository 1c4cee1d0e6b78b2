//! What a bill of materials lacks that cargo-cyclonedx made (<https://cyclonedx.org>, version 1.5): the C, C++ and
//! assembly code inside of crates, the standard library, the C library, and the tools.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::crates::Crates;
use crate::error::{Error, Result};
use crate::files;

/// A list of the bill, by its name, to add to.
fn list<'bom>(
    bom: &'bom mut Map<String, Value>,
    name: &'static str,
) -> Result<&'bom mut Vec<Value>> {
    bom.entry(name)
        .or_insert_with(|| json!([]))
        .as_array_mut()
        .ok_or(Error::Bom("what cargo-cyclonedx wrote", name))
}

/// `known` with the materials, and with what is in the crates beside Rust, as text. `root` is the folder that its
/// references name.
pub(crate) fn complete(
    known: Value,
    root: &str,
    crates: &Crates,
    materials: &Value,
) -> Result<String> {
    let mut known = known;
    rename(&mut known, root);
    let bom = known
        .as_object_mut()
        .ok_or(Error::Bom("what cargo-cyclonedx wrote", "object"))?;
    let program = bom["metadata"]["component"]["bom-ref"].clone();

    let materials = materials
        .as_array()
        .ok_or(Error::Bom("the list of materials", "list"))?
        .iter()
        .map(|material| hashed(material.clone()))
        .collect::<Result<Vec<_>>>()?;
    let components = list(bom, "components")?;
    components.extend(materials.iter().cloned());
    for component in components {
        if let Some(inside) = inside(component, crates)? {
            component["components"] = json!([inside]);
        }
    }
    // The required ones are in the program; the others made it.
    let required = materials
        .iter()
        .filter(|material| material["scope"] == "required")
        .map(|material| material["bom-ref"].clone());
    let dependencies = list(bom, "dependencies")?;
    dependencies
        .iter_mut()
        .find(|entry| entry["ref"] == program)
        .and_then(Value::as_object_mut)
        .ok_or(Error::Bom(
            "what cargo-cyclonedx wrote",
            "entry for the program in dependencies",
        ))
        .and_then(|own| list(own, "dependsOn"))?
        .extend(required);
    dependencies.extend(
        materials
            .iter()
            .map(|material| json!({ "ref": material["bom-ref"] })),
    );

    // Keys are sorted, so that the same materials give the same text.
    Ok(format!("{known:#}"))
}

/// A material with its hash as the format wants it, where it is given as Nix writes it: `sha256-` and base64.
fn hashed(mut material: Value) -> Result<Value> {
    let Some(component) = material.as_object_mut() else {
        return Err(Error::Bom("the list of materials", "objects"));
    };
    if let Some(hash) = component.remove("sha256") {
        let digest = hash
            .as_str()
            .and_then(|hash| hash.strip_prefix("sha256-"))
            .and_then(|hash| STANDARD.decode(hash).ok())
            .ok_or(Error::Bom("a material's sha256", "sha256-BASE64"))?;
        let hash = json!([{ "alg": "SHA-256", "content": files::hexadecimal(&digest) }]);
        component.insert("hashes".into(), hash);
    }
    Ok(material)
}

/// Takes the folder that cargo ran in out of every text.
fn rename(value: &mut Value, root: &str) {
    match value {
        Value::String(text) => *text = text.replace(root, "/source"),
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, root)),
        Value::Object(values) => values.values_mut().for_each(|value| rename(value, root)),
        _ => {}
    }
}

/// The code in a crate that is not Rust's. By custom the version of what such a crate brings stands behind the `+` of
/// its own (`zstd-sys 2.0.16+zstd.1.5.7`).
fn inside(component: &Value, crates: &Crates) -> Result<Option<Value>> {
    let text = |name: &str| component[name].as_str().unwrap_or("");
    let (name, version) = (text("name"), text("version"));
    // Without a build script nothing compiles it.
    let Some(known) = crates
        .get(name, version)
        .filter(|known| known.has_build_script)
    else {
        return Ok(None);
    };
    let sums = files::below(&known.folder)?
        .iter()
        .filter(|path| is_code(path))
        .map(|path| {
            let inside = path.strip_prefix(&known.folder).unwrap_or(path);
            let sum = files::sha256(&files::read(path)?);
            Ok(format!("{sum}  {}\n", inside.display()))
        })
        .collect::<Result<Vec<_>>>()?;
    if sums.is_empty() {
        return Ok(None);
    }
    let (own, brought) = version.split_once('+').unwrap_or((version, ""));
    let scope = component.get("scope").cloned();
    let mut inside = json!({
        "type": "library",
        "bom-ref": format!("{}#native", text("bom-ref")),
        "name": name.trim_end_matches("-sys").trim_end_matches("-src"),
        "version": if brought.is_empty() { own } else { brought },
        "description": format!(
            "C, C++ or assembly in the crate {name} (files: {}); the hash is that of their list as sha256sum prints it",
            sums.len()
        ),
        "hashes": [{ "alg": "SHA-256", "content": files::sha256(sums.concat().as_bytes()) }],
    });
    if let Some(scope) = scope {
        inside["scope"] = scope;
    }
    Ok(Some(inside))
}

fn is_code(path: &Path) -> bool {
    let known = [
        "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "inc", "s", "S", "asm",
    ];
    path.extension()
        .is_some_and(|extension| known.iter().any(|known| extension == *known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn vendored() -> (tempfile::TempDir, Crates) {
        let folder = tempfile::tempdir().unwrap();
        let add = |name: &str, version: &str, files: &[(&str, &str)]| {
            let at = folder.path().join(name);
            fs::create_dir_all(at.join("src")).unwrap();
            let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n");
            fs::write(at.join("Cargo.toml"), manifest).unwrap();
            for (path, text) in files {
                fs::write(at.join(path), text).unwrap();
            }
        };
        add(
            "zstd-sys",
            "2.0.16+zstd.1.5.7",
            &[
                ("build.rs", ""),
                ("src/a.c", "int a;"),
                ("src/a.h", "int b;"),
                ("src/b.S", ""),
            ],
        );
        add("plain", "1.0.0", &[("build.rs", ""), ("src/lib.rs", "")]);
        add("unbuilt", "1.0.0", &[("src/a.c", "int a;")]);
        let crates = Crates::read(&[folder.path().to_path_buf()]).unwrap();
        (folder, crates)
    }

    fn component(name: &str, version: &str) -> Value {
        json!({ "bom-ref": name, "name": name, "version": version })
    }

    fn completed(crates: &Crates, materials: &Value) -> Value {
        let known = json!({
            "metadata": { "component": { "bom-ref": "path+file:///tmp/x/source#own@0.1.0" } },
            "components": [
                component("zstd-sys", "2.0.16+zstd.1.5.7"),
                component("plain", "1.0.0"),
                component("unbuilt", "1.0.0"),
            ],
            "dependencies": [
                { "ref": "path+file:///tmp/x/source#own@0.1.0", "dependsOn": ["plain"] },
                { "ref": "plain" },
            ],
        });
        serde_json::from_str(&complete(known, "/tmp/x/source", crates, materials).unwrap()).unwrap()
    }

    #[test]
    fn c_code_in_a_crate_is_a_component_of_it() {
        let (_folder, crates) = vendored();
        let bom = completed(&crates, &json!([]));
        let inside = &bom["components"][0]["components"][0];
        assert_eq!(inside["name"], "zstd");
        assert_eq!(inside["version"], "zstd.1.5.7");
        // printf 'int a;' | sha256sum, and so on.
        let lines = format!(
            "{}  src/a.c\n{}  src/a.h\n{}  src/b.S\n",
            files::sha256(b"int a;"),
            files::sha256(b"int b;"),
            files::sha256(b"")
        );
        assert_eq!(
            inside["hashes"][0]["content"],
            files::sha256(lines.as_bytes())
        );
        assert!(
            bom["components"][1].get("components").is_none(),
            "plain has no C"
        );
        assert!(
            bom["components"][2].get("components").is_none(),
            "nothing compiles it"
        );
    }

    #[test]
    fn the_program_depends_on_what_is_required_alone() {
        let (_folder, crates) = vendored();
        let materials = json!([
            { "bom-ref": "musl", "scope": "required" },
            { "bom-ref": "clang", "scope": "excluded" },
        ]);
        let bom = completed(&crates, &materials);
        assert_eq!(
            bom["dependencies"],
            json!([
                { "ref": "path+file:///source#own@0.1.0", "dependsOn": ["plain", "musl"] },
                { "ref": "plain" },
                { "ref": "musl" },
                { "ref": "clang" },
            ])
        );
        assert_eq!(bom["components"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn c_code_of_a_crate_among_the_materials_is_seen_and_is_as_excluded_as_it() {
        let (_folder, crates) = vendored();
        let mut material = component("zstd-sys", "2.0.16+zstd.1.5.7");
        material["bom-ref"] = json!("libc#zstd-sys");
        material["scope"] = json!("excluded");
        let bom = completed(&crates, &json!([material]));
        let inside = &bom["components"][3]["components"][0];
        assert_eq!(inside["name"], "zstd");
        assert_eq!(inside["scope"], "excluded");
        assert_eq!(inside["bom-ref"], "libc#zstd-sys#native");
    }

    #[test]
    fn a_bill_that_does_not_say_what_the_program_depends_on_is_refused() {
        let (_folder, crates) = vendored();
        let known = json!({ "metadata": { "component": { "bom-ref": "own" } } });
        assert!(complete(known, "/", &crates, &json!([])).is_err());
    }

    #[test]
    fn a_hash_of_nix_is_written_as_the_format_wants_it() {
        let (_folder, crates) = vendored();
        // Of nothing: `nix hash to-sri`, and `sha256sum </dev/null`.
        let nix = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let bom = completed(&crates, &json!([{ "bom-ref": "std", "sha256": nix }]));
        assert_eq!(bom["components"][3]["hashes"][0]["content"], sum);
        assert!(bom["components"][3].get("sha256").is_none());

        let wrong = json!([{ "bom-ref": "std", "sha256": sum }]);
        let known = json!({
            "metadata": { "component": { "bom-ref": "own" } },
            "dependencies": [{ "ref": "own" }],
        });
        assert!(complete(known, "/", &crates, &wrong).is_err());
    }

    #[test]
    fn the_folder_of_the_build_is_not_in_it() {
        let (_folder, crates) = vendored();
        assert!(
            !completed(&crates, &json!([]))
                .to_string()
                .contains("/tmp/x")
        );
    }
}
