//! An image as the Open Container Initiative lays it out
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>): one index with a manifest a platform, each
//! of two layers, the first of which all have in common.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use oci_spec::image::{
    ANNOTATION_REF_NAME, Arch, Config, Descriptor, Digest, HistoryBuilder,
    ImageConfigurationBuilder, ImageIndexBuilder, ImageManifestBuilder, MediaType,
    OciLayoutBuilder, Os, PlatformBuilder, RootFsBuilder,
};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::files;

/// The annotation that containerd reads the whole name from. OCI's own has the tag alone.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// When it was made: as the files of the Nix store, always.
const CREATED: &str = "1970-01-01T00:00:01Z";

/// Blobs by their digest.
#[derive(Default)]
struct Blobs(BTreeMap<String, Vec<u8>>);

impl Blobs {
    fn add(&mut self, kind: MediaType, bytes: Vec<u8>) -> Result<Descriptor> {
        let name = files::sha256(&bytes);
        let digest: Digest = format!("sha256:{name}").parse().map_err(invalid)?;
        let descriptor = Descriptor::new(kind, bytes.len() as u64, digest);
        self.0.insert(name, bytes);
        Ok(descriptor)
    }
}

struct Layer {
    descriptor: Descriptor,
    /// The digest of the layer before it was packed.
    unpacked: String,
}

fn layer(blobs: &mut Blobs, folder: &Path) -> Result<Layer> {
    let tar = files::tar(folder, Path::new(""))?;
    Ok(Layer {
        unpacked: format!("sha256:{}", files::sha256(&tar)),
        descriptor: blobs.add(MediaType::ImageLayerGzip, files::gzip(&tar)?)?,
    })
}

#[allow(clippy::needless_pass_by_value, reason = "it is what map_err passes")]
fn invalid(error: impl std::fmt::Display) -> Error {
    Error::Image(error.to_string())
}

/// JSON with sorted keys: the maps of the specification's types have no order.
fn json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    let sorted: Value = serde_json::to_value(value).map_err(invalid)?;
    serde_json::to_vec(&sorted).map_err(invalid)
}

/// A configuration, all of whose keys mean something.
fn configuration(text: &[u8]) -> Result<Config> {
    let stated: Map<String, Value> = serde_json::from_slice(text).map_err(invalid)?;
    let config: Config = serde_json::from_slice(text).map_err(invalid)?;
    let known = serde_json::to_value(&config).map_err(invalid)?;
    match stated.keys().find(|key| known.get(key.as_str()).is_none()) {
        Some(unknown) => Err(invalid(format!(
            "{unknown} is unknown; OCI has User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal"
        ))),
        None => Ok(config),
    }
}

/// The image as one file, which `skopeo`, `podman load` and `docker load` read.
pub(crate) fn archive(
    config: &[u8],
    name: &str,
    shared: &Path,
    platforms: &[(String, String)],
) -> Result<Vec<u8>> {
    let (repository, tag) = name
        .rsplit_once(':')
        .ok_or_else(|| invalid(format!("the name {name} has no tag: write {name}:VERSION")))?;
    if repository.is_empty() || repository.contains(|letter: char| letter.is_ascii_uppercase()) {
        return Err(invalid(format!(
            "the name {name}: a name has small letters alone"
        )));
    }
    let config = configuration(config)?;
    let mut blobs = Blobs::default();
    let common = layer(&mut blobs, shared)?;

    let mut manifests = Vec::new();
    for (architecture, folder) in platforms {
        let architecture = match architecture.as_str() {
            "amd64" => Arch::Amd64,
            "arm64" => Arch::ARM64,
            other => {
                return Err(invalid(format!(
                    "the architecture {other} is neither amd64 nor arm64"
                )));
            }
        };
        let own = layer(&mut blobs, Path::new(folder))?;
        let history = HistoryBuilder::default()
            .created(CREATED)
            .build()
            .map_err(invalid)?;
        let image = ImageConfigurationBuilder::default()
            .created(CREATED)
            .architecture(architecture.clone())
            .os(Os::Linux)
            .config(config.clone())
            .rootfs(
                RootFsBuilder::default()
                    .typ("layers")
                    .diff_ids([common.unpacked.clone(), own.unpacked])
                    .build()
                    .map_err(invalid)?,
            )
            .history([history.clone(), history])
            .build()
            .map_err(invalid)?;
        let image = blobs.add(MediaType::ImageConfig, json(&image)?)?;
        let manifest = ImageManifestBuilder::default()
            .schema_version(2u32)
            .media_type(MediaType::ImageManifest)
            .config(image)
            .layers([common.descriptor.clone(), own.descriptor])
            .build()
            .map_err(invalid)?;
        let mut manifest = blobs.add(MediaType::ImageManifest, json(&manifest)?)?;
        let platform = PlatformBuilder::default()
            .architecture(architecture)
            .os(Os::Linux);
        manifest.set_platform(Some(platform.build().map_err(invalid)?));
        manifests.push(manifest);
    }

    let index = ImageIndexBuilder::default()
        .schema_version(2u32)
        .media_type(MediaType::ImageIndex)
        .manifests(manifests)
        .build()
        .map_err(invalid)?;
    let mut index = blobs.add(MediaType::ImageIndex, json(&index)?)?;
    index.set_annotations(Some(HashMap::from([
        (ANNOTATION_REF_NAME.to_owned(), tag.to_owned()),
        (CONTAINERD_NAME.to_owned(), name.to_owned()),
    ])));
    let top = ImageIndexBuilder::default()
        .schema_version(2u32)
        .media_type(MediaType::ImageIndex)
        .manifests([index])
        .build()
        .map_err(invalid)?;
    let layout = OciLayoutBuilder::default()
        .image_layout_version("1.0.0")
        .build()
        .map_err(invalid)?;

    let mut archive = files::Archive::default();
    archive.folder("blobs/")?;
    archive.folder("blobs/sha256/")?;
    for (name, bytes) in &blobs.0 {
        archive.file(&format!("blobs/sha256/{name}"), bytes)?;
    }
    archive.file("index.json", &json(&top)?)?;
    archive.file("oci-layout", &json(&layout)?)?;
    archive.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;

    const CONFIG: &str = r#"{"Entrypoint":["/bin/own"],"User":"65532:65532","Labels":{"b":"2","a":"1","d":"4","c":"3"}}"#;

    fn made(folder: &tempfile::TempDir, name: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        for (path, text) in [
            ("shared/etc/passwd", "x"),
            ("amd64/bin/own", "a"),
            ("arm64/bin/own", "b"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let platforms = ["amd64", "arm64"].map(|name| (name.to_owned(), at(name)));
        let archive = archive(
            CONFIG.as_bytes(),
            name,
            &folder.path().join("shared"),
            &platforms,
        )?;
        let mut archive = tar::Archive::new(archive.as_slice());
        Ok(archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                (entry.path().unwrap().display().to_string(), bytes)
            })
            .collect())
    }

    fn blob<'files>(files: &'files BTreeMap<String, Vec<u8>>, descriptor: &Value) -> &'files [u8] {
        let digest = descriptor["digest"].as_str().unwrap().replace(':', "/");
        let bytes = &files[&format!("blobs/{digest}")];
        assert_eq!(descriptor["size"], bytes.len());
        assert_eq!(digest, format!("sha256/{}", files::sha256(bytes)));
        bytes
    }

    #[test]
    fn every_platform_has_the_common_layer_and_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let files = made(&folder, "own:1.0").unwrap();
        let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let top = parse(&files["index.json"]);
        assert_eq!(
            top["manifests"][0]["annotations"][ANNOTATION_REF_NAME],
            "1.0"
        );
        let index = parse(blob(&files, &top["manifests"][0]));
        let manifests = index["manifests"].as_array().unwrap();
        assert_eq!(manifests.len(), 2);
        let mut layers = Vec::new();
        for (manifest, architecture) in manifests.iter().zip(["amd64", "arm64"]) {
            assert_eq!(manifest["platform"]["architecture"], architecture);
            let manifest = parse(blob(&files, manifest));
            let config = parse(blob(&files, &manifest["config"]));
            assert_eq!(config["architecture"], architecture);
            assert_eq!(config["config"]["User"], "65532:65532");
            let own = &manifest["layers"];
            for (place, layer) in own.as_array().unwrap().iter().enumerate() {
                let mut tar = Vec::new();
                flate2::read::GzDecoder::new(blob(&files, layer))
                    .read_to_end(&mut tar)
                    .unwrap();
                let digest = format!("sha256:{}", files::sha256(&tar));
                assert_eq!(config["rootfs"]["diff_ids"][place], digest);
            }
            layers.push((own[0]["digest"].clone(), own[1]["digest"].clone()));
        }
        assert_eq!(layers[0].0, layers[1].0);
        assert_ne!(layers[0].1, layers[1].1);
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let first = made(&folder, "own:1.0").unwrap();
        // Maps without an order differ from one to the next.
        for _ in 0..8 {
            assert_eq!(made(&folder, "own:1.0").unwrap(), first);
        }
    }

    #[test]
    fn a_name_that_no_registry_takes_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, reason) in [
            ("own", "own:VERSION"),
            ("Own:1", "small letters"),
            (":1", "small letters"),
        ] {
            let said = made(&folder, name).unwrap_err().to_string();
            assert!(said.contains(reason), "{said}");
        }
    }

    #[test]
    fn an_unknown_key_of_the_configuration_is_refused() {
        for text in [r#"{"exposedPorts":{}}"#, r#"{"Healthcheck":{}}"#] {
            let said = configuration(text.as_bytes()).unwrap_err().to_string();
            assert!(said.contains("is unknown"), "{said}");
        }
        let full = r#"{"User":"1","ExposedPorts":{"80/tcp":{}},"Env":[],"Entrypoint":[],"Cmd":[],"Volumes":{"/v":{}},
            "WorkingDir":"/","Labels":{},"StopSignal":"SIGINT"}"#;
        configuration(full.as_bytes()).unwrap();
    }
}
