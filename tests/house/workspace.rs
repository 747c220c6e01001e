//! The workspace, as cargo describes it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// The core comes first, then its satellites and what only tests use.
pub static PACKAGES: LazyLock<Vec<Package>> = LazyLock::new(|| {
    let arguments = ["metadata", "--locked", "--offline", "--no-deps", "--format-version=1"];
    let done = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let metadata: Value = serde_json::from_slice(&done.stdout).unwrap();
    let mut packages: Vec<_> = metadata["packages"].as_array().unwrap().iter().cloned().map(Package).collect();
    packages.sort_by_key(|package| package.folder().components().count());
    assert_eq!(packages[0].name(), env!("CARGO_PKG_NAME"));
    packages
});

pub struct Package(Value);

impl Package {
    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub fn version(&self) -> &str {
        self.0["version"].as_str().unwrap()
    }

    /// Those that only this repository uses have `publish = false`.
    pub fn is_published(&self) -> bool {
        self.0["publish"].as_array().is_none_or(|registries| !registries.is_empty())
    }

    /// Whether this is published, and not the core.
    pub fn is_satellite(&self) -> bool {
        self.is_published() && self.name() != env!("CARGO_PKG_NAME")
    }

    pub fn folder(&self) -> PathBuf {
        Path::new(self.0["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
    }

    /// A text of its manifest, such as `license`.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0[name].as_str()
    }

    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.0["features"].as_object().unwrap().keys().map(String::as_str)
    }

    /// What it is compiled from by those who use it: no dev-dependencies.
    pub fn dependencies(&self) -> impl Iterator<Item = &str> {
        let all = self.0["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"] != "dev").map(|dependency| dependency["name"].as_str().unwrap())
    }

    /// (kind, name) of its programs and libraries.
    pub fn targets(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0["targets"].as_array().unwrap().iter();
        all.map(|target| (target["kind"][0].as_str().unwrap(), target["name"].as_str().unwrap()))
    }

    /// The main files of its test programs, from the root.
    pub fn test_programs(&self) -> impl Iterator<Item = &Path> {
        let all = self.0["targets"].as_array().unwrap().iter();
        let tests = all.filter(|target| target["kind"][0] == "test");
        tests.map(|target| Path::new(target["src_path"].as_str().unwrap()).strip_prefix(root()).unwrap())
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(name: impl AsRef<Path>) -> String {
    let name = name.as_ref();
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{}: {error}", name.display()))
}
