//! The strings of a config that may hold references, found by type so that none is forgotten.

use super::text::Literal;
use crate::text::{SecretText, Text};

/// Something read from a config.
pub(crate) trait HasTexts {
    /// Adds its texts, if it has any.
    fn add_texts<'a>(&'a self, texts: &mut Vec<&'a Text>) {
        let _ = texts;
    }
}

impl HasTexts for Text {
    fn add_texts<'a>(&'a self, texts: &mut Vec<&'a Text>) {
        texts.push(self);
    }
}

impl HasTexts for SecretText {
    fn add_texts<'a>(&'a self, texts: &mut Vec<&'a Text>) {
        texts.push(self.expose());
    }
}

impl<T: HasTexts> HasTexts for Option<T> {
    fn add_texts<'a>(&'a self, texts: &mut Vec<&'a Text>) {
        self.iter().for_each(|value| value.add_texts(texts));
    }
}

impl<T: HasTexts> HasTexts for Vec<T> {
    fn add_texts<'a>(&'a self, texts: &mut Vec<&'a Text>) {
        self.iter().for_each(|value| value.add_texts(texts));
    }
}

impl<A: HasTexts, B: HasTexts> HasTexts for (A, B) {
    fn add_texts<'a>(&'a self, texts: &mut Vec<&'a Text>) {
        self.0.add_texts(texts);
        self.1.add_texts(texts);
    }
}

/// Types without texts. A type that `choice` reads is added here.
macro_rules! textless {
    ($($type:ty),* $(,)?) => { $(impl HasTexts for $type {})* };
}

textless!(
    bool,
    f64,
    u16,
    u32,
    u64,
    usize,
    String,
    Literal,
    serde_json::Value,
    crate::auth::ClientAuth,
    crate::auth::KeyPlace,
    crate::document::Document,
    crate::execution::Delivered,
    crate::execution::RepeatedIds,
    crate::middleware::Arrays,
    crate::middleware::Compression,
    crate::middleware::FieldType,
    crate::middleware::KeyFormat,
    crate::middleware::Level,
    crate::tables::Place,
    crate::tables::SinkMode,
    crate::transport::EngineName,
    crate::transport::HttpVersion,
    crate::transport::OldestTls,
    crate::transport::WarmupFailure,
    crate::transport::WarmupKind,
);
