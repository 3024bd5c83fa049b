//! Files of messages: where their bytes are, what they are by their own word, and the form that brings them. A file is on disk, with its
//! folder's entry, before anyone hears that it is there. Refuses what is not of its kind, whatever it is called.

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use wire::ErrorCode;

use crate::auth::keys;
use crate::error::Error;
use crate::store::{MediaKind, MediaRecord, StoredMedia};

pub(crate) mod form;
pub(crate) mod kind;
pub(crate) mod name;

use kind::TextCheck;

/// Bytes of one write to the disk.
const PART_BYTES: usize = 256 * 1024;
/// The folder of the files in the data directory.
const FOLDER: &str = "media";

/// The files' bytes.
#[derive(Clone)]
pub(crate) struct Media(Arc<dyn ObjectStore>);

impl From<object_store::Error> for Error {
    fn from(cause: object_store::Error) -> Error {
        tracing::error!(%cause, "the store of files failed");
        Error::of(ErrorCode::Unavailable)
    }
}

impl Media {
    /// Files in a data directory, or in memory where there is none.
    pub(crate) fn open(data: Option<&FilePath>) -> std::io::Result<Media> {
        let Some(data) = data else { return Ok(Media(Arc::new(InMemory::new()))) };
        let folder = data.join(FOLDER);
        crate::private_folder().recursive(true).create(&folder)?;
        forget_unfinished(&folder)?;
        let files = LocalFileSystem::new_with_prefix(&folder).map_err(std::io::Error::other)?;
        Ok(Media(Arc::new(files.with_fsync(true))))
    }

    /// A place for the bytes of a file. What is not finished is forgotten.
    pub(crate) async fn create(&self, record: &MediaRecord, is_table: bool) -> Result<Incoming, Error> {
        // Two attempts at the same file never share a place.
        let attempt = keys::to_text(&keys::random::<9>().map_err(|_| Error::of(ErrorCode::Unavailable))?);
        let object = format!("{}/{}-{attempt}", record.chat_id, record.id);
        let upload = self.0.put_multipart(&path(&object)?).await?;
        Ok(Incoming {
            object,
            upload,
            unwritten: Vec::new(),
            kind: record.kind,
            is_table,
            head: Vec::new(),
            text: TextCheck::default(),
            size_bytes: 0,
            limit: record.size_bytes,
        })
    }

    /// A place for bytes of any kind in a folder of their own.
    pub(crate) async fn create_plain(&self, folder: &str) -> Result<Plain, Error> {
        let name = keys::to_text(&keys::random::<18>().map_err(|_| Error::of(ErrorCode::Unavailable))?);
        let object = format!("{folder}/{name}");
        let upload = self.0.put_multipart(&path(&object)?).await?;
        Ok(Plain { object, upload, unwritten: Vec::new(), size_bytes: 0 })
    }

    /// The bytes of what [`Media::create_plain`] took.
    pub(crate) async fn read_object(&self, object: &str) -> Result<Body, Error> {
        let found = self.0.get_opts(&path(object)?, GetOptions::default()).await?;
        Ok(Body::from_stream(found.into_stream()))
    }

    /// Keeps bytes of the gateway's own under a name; when it returns they are on disk.
    pub(crate) async fn keep(&self, object: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.0.put(&path(object)?, PutPayload::from(bytes)).await?;
        Ok(())
    }

    /// Forgets the bytes of a file that nobody will ask for.
    pub(crate) async fn remove(&self, stored: &StoredMedia) {
        self.remove_object(&stored.object).await;
    }

    /// The same, by its place.
    pub(crate) async fn remove_object(&self, object: &str) {
        let Ok(path) = path(object) else { return };
        if let Err(cause) = self.0.delete(&path).await {
            // It only costs its place.
            tracing::warn!(%cause, "the bytes of a file that nobody needs stay");
        }
    }

    /// The bytes of a file, or those of a range.
    pub(crate) async fn read(&self, stored: &StoredMedia, range: Option<std::ops::Range<u64>>) -> Result<Body, Error> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.0.get_opts(&path(&stored.object)?, options).await?;
        Ok(Body::from_stream(found.into_stream()))
    }
}

/// Bytes of something that is no message's file, on their way to the disk: whatever they are. Dropped before its end, it leaves nothing.
pub(crate) struct Plain {
    object: String,
    upload: Box<dyn MultipartUpload>,
    unwritten: Vec<u8>,
    size_bytes: u64,
}

impl Plain {
    /// Takes the next bytes.
    pub(crate) async fn write(&mut self, bytes: &Bytes) -> Result<(), Error> {
        self.size_bytes = self.size_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.unwritten.extend_from_slice(bytes);
        if self.unwritten.len() >= PART_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Bytes so far.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let part = PutPayload::from(std::mem::take(&mut self.unwritten));
        Ok(self.upload.put_part(part).await?)
    }

    /// Makes it durable, and gives where it is.
    pub(crate) async fn finish(mut self) -> Result<String, Error> {
        if !self.unwritten.is_empty() {
            self.flush().await?;
        }
        self.upload.complete().await?;
        Ok(self.object)
    }
}

fn path(object: &str) -> Result<Path, Error> {
    Path::parse(object).map_err(|_| Error::of(ErrorCode::Internal))
}

/// Removes what a stopped gateway left half written: files whose names no finished one has.
fn forget_unfinished(folder: &FilePath) -> std::io::Result<()> {
    for chat in std::fs::read_dir(folder)? {
        let chat = chat?;
        if !chat.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(chat.path())? {
            let file = file?;
            if file.file_name().to_string_lossy().contains('#') {
                std::fs::remove_file(file.path())?;
            }
        }
    }
    Ok(())
}

/// A file on its way to the disk. Dropped before its end, it leaves nothing.
pub(crate) struct Incoming {
    object: String,
    upload: Box<dyn MultipartUpload>,
    unwritten: Vec<u8>,
    kind: MediaKind,
    /// Its name says that its text is a table.
    is_table: bool,
    /// The first bytes, which say what it is.
    head: Vec<u8>,
    /// Whether it is text so far; only looked at for documents.
    text: TextCheck,
    size_bytes: u64,
    limit: u64,
}

impl Incoming {
    /// Takes the next bytes. Refuses more than were announced.
    pub(crate) async fn write(&mut self, bytes: &Bytes) -> Result<(), Error> {
        self.size_bytes = self.size_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.size_bytes > self.limit {
            return Err(Error::too_large());
        }
        let missing = kind::HEAD_BYTES.saturating_sub(self.head.len());
        if missing > 0 {
            self.head.extend(bytes.iter().take(missing));
        }
        // What is nothing of its kind need not come to its end.
        let is_text = self.kind == MediaKind::Document && self.text.take(bytes);
        if kind::of_head(self.kind, &self.head, false)?.is_none() && missing == 0 && !is_text {
            return Err(kind::refused(self.kind));
        }
        self.unwritten.extend_from_slice(bytes);
        if self.unwritten.len() >= PART_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let part = PutPayload::from(std::mem::take(&mut self.unwritten));
        Ok(self.upload.put_part(part).await?)
    }

    /// Makes the file durable.
    pub(crate) async fn finish(mut self) -> Result<(StoredMedia, u64), Error> {
        let format = match kind::of_head(self.kind, &self.head, true)? {
            Some(format) => format,
            None if self.size_bytes > 0 && self.text.finish() => kind::of_text(self.is_table),
            None => return Err(kind::refused(self.kind)),
        };
        if !self.unwritten.is_empty() {
            self.flush().await?;
        }
        self.upload.complete().await?;
        let content_type = format.content_type.to_owned();
        Ok((StoredMedia { object: self.object, content_type }, self.size_bytes))
    }
}
