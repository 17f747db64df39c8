//! Where a configuration is from.

use std::path::{Path, PathBuf};

use watchword_gate::config::{ConfigError, GateConfig};

use crate::file::WatchedFile;
use crate::open_error::OpenError;

/// The maximum length of a configuration, in bytes.
const MAX_CONFIG: usize = 16 * 1024 * 1024;

/// Where a configuration is from.
#[derive(Debug, Clone)]
pub enum ConfigSource {
    /// A file: JSON if its name ends in `.json`, otherwise TOML. It is read again if it changes.
    File(PathBuf),
    /// This text, in this form. Names of files in it are relative to the folder.
    Text(String, Format, PathBuf),
}

/// The form of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON, with the same names.
    Json,
}

/// A configuration that is read, and read again.
pub(crate) struct ConfigReader {
    source: ConfigSource,
    file: Option<WatchedFile>,
}

impl ConfigReader {
    pub(crate) fn new(source: ConfigSource) -> Self {
        let file = match &source {
            ConfigSource::File(path) => Some(WatchedFile::new(path.clone(), MAX_CONFIG)),
            ConfigSource::Text(..) => None,
        };
        Self { source, file }
    }

    /// Whether it is another than the one that was read.
    pub(crate) fn has_changed(&self) -> bool {
        self.file.as_ref().is_some_and(WatchedFile::has_changed)
    }

    /// The folder that names of files are relative to.
    pub(crate) fn folder(&self) -> PathBuf {
        match &self.source {
            ConfigSource::File(path) => path.parent().map(Path::to_path_buf).unwrap_or_default(),
            ConfigSource::Text(_, _, folder) => folder.clone(),
        }
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be read, or with all that is wrong in it.
    pub(crate) fn read(&mut self) -> Result<GateConfig, OpenError> {
        match (&mut self.file, &self.source) {
            (Some(file), _) => {
                let content = file.read().map_err(OpenError::new)?;
                let name = file.path().display().to_string();
                let text = String::from_utf8(content).map_err(|error| {
                    OpenError::new(format!("{name}: the file is not UTF-8 ({})", error.utf8_error()))
                })?;
                let is_json = file.path().extension().is_some_and(|extension| extension == "json");
                parse(&text, if is_json { Format::Json } else { Format::Toml })
                    .map_err(|error| OpenError::of_config(Some(&name), &error))
            }
            (None, ConfigSource::Text(text, format, _)) => {
                parse(text, *format).map_err(|error| OpenError::of_config(None, &error))
            }
            (None, ConfigSource::File(path)) => Err(OpenError::new(format!("{} is not open", path.display()))),
        }
    }

    /// The name of the file, for messages.
    pub(crate) fn name(&self) -> Option<String> {
        self.file.as_ref().map(|file| file.path().display().to_string())
    }
}

fn parse(text: &str, format: Format) -> Result<GateConfig, ConfigError> {
    match format {
        Format::Toml => GateConfig::from_toml(text),
        Format::Json => GateConfig::from_json(text),
    }
}
