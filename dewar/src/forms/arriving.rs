//! A file that arrives: its bytes are written in large blocks, and hashed by the thread that writes them.

use std::fs::File;
use std::io::{self, Write as _};
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::concurrency::Ticket;
use super::incoming::Stop;
use super::quarantine::{FileMark, QuarantinedFile};
use crate::audit::{FreeSpace, MIB};

/// The bytes that are written at once. Each block costs a change of threads, and each file has one in memory.
const BLOCK: usize = 128 * 1024;

/// Over so many files at once, each takes less memory and more changes of threads.
const MANY: usize = 32;

/// The bytes that are written at once of each of many files.
const SMALL_BLOCK: usize = 32 * 1024;

/// Bytes of one of many files are written from where they are if they are so many.
const AS_IT_IS: usize = 8 * 1024;

/// The blocks of all files that are written at once. A disk does not get faster by more, and each takes a thread.
const WRITERS: usize = 8;

/// Writes the blocks of all files that arrive. A file has a place only while one of its blocks goes to the disk, and never while it
/// waits for its sender, so slow senders keep none from the others.
#[derive(Clone, Debug)]
pub(super) struct BlockWriters(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    places: Arc<Semaphore>,
    /// The files that arrive.
    files: AtomicUsize,
    /// Empty blocks that were written. A file takes one for each that it gives, so there are at most as many as places.
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Default for BlockWriters {
    fn default() -> Self {
        Self(Arc::new(Shared {
            places: Arc::new(Semaphore::new(WRITERS)),
            files: AtomicUsize::new(0),
            spare: Mutex::default(),
        }))
    }
}

impl BlockWriters {
    async fn place(&self) -> io::Result<OwnedSemaphorePermit> {
        let places = Arc::clone(&self.0.places);
        places.acquire_owned().await.map_err(io::Error::other)
    }

    fn are_many(&self) -> bool {
        self.0.files.load(Ordering::Relaxed) > MANY
    }

    fn take_spare(&self) -> Vec<u8> {
        let mut spare = self.0.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop().unwrap_or_default()
    }

    fn give_spare(&self, mut block: Vec<u8>) {
        // The bytes of one person do not stay in memory until those of another overwrite them.
        block.clear();
        // That of a small file is not worth keeping.
        if block.capacity() >= BLOCK {
            let mut spare = self.0.spare.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < WRITERS {
                spare.push(block);
            }
        }
    }
}

/// Counts a file as long as it arrives.
#[derive(Debug)]
struct Counted(BlockWriters);

impl Counted {
    fn new(writers: BlockWriters) -> Self {
        writers.0.files.fetch_add(1, Ordering::Relaxed);
        Self(writers)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.files.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A file that is written while it arrives.
#[derive(Debug)]
pub(super) struct Arriving {
    place: QuarantinedFile,
    /// The bytes that arrived, with those of `block`.
    size: u64,
    /// Bytes that wait to be written.
    block: Vec<u8>,
    disk: Disk,
    writers: Counted,
}

/// The file on the disk.
#[derive(Debug)]
enum Disk {
    Idle(Box<Written>),
    /// A block is on its way.
    Writing(JoinHandle<io::Result<Box<Written>>>),
    /// A block could not be written.
    Failed,
}

/// What is on the disk.
struct Written {
    file: File,
    size: u64,
    digest: Context,
    free: Option<FreeSpace>,
}

/// A complete file in quarantine.
#[derive(Debug)]
pub(super) struct ArrivedFile {
    pub(super) place: QuarantinedFile,
    /// Its size in bytes.
    pub(super) size: u64,
    /// The SHA-256 of its bytes, as they were written.
    pub(super) sha256: [u8; 32],
    /// The file after its last byte.
    pub(super) mark: FileMark,
}

impl Arriving {
    pub(super) async fn create(
        quarantine: &Path,
        ticket: Option<Ticket>,
        free: Option<FreeSpace>,
        writers: BlockWriters,
    ) -> io::Result<Self> {
        if let Some(free) = &free {
            free.check(0)?;
        }
        let place = QuarantinedFile::named(quarantine, ticket);
        let options = tokio::fs::OpenOptions::from(QuarantinedFile::options());
        // Many files that begin at once take no more threads than their blocks.
        let at_disk = writers.place().await?;
        let file = options.open(place.path()).await?;
        drop(at_disk);
        let written = Written {
            file: file.into_std().await,
            size: 0,
            digest: Context::new(&SHA256),
            free,
        };
        Ok(Self {
            place,
            size: 0,
            block: Vec::new(),
            disk: Disk::Idle(Box::new(written)),
            writers: Counted::new(writers),
        })
    }

    /// Takes more bytes. It waits for the disk only if a block before them is still being written.
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), Stop> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(ticket) = self.place.ticket() {
            ticket.add(length)?;
        }
        self.size = self.size.saturating_add(length);
        let are_many = self.writers.0.are_many();
        if are_many && bytes.len() >= AS_IT_IS {
            return Ok(self.write_block(bytes).await?);
        }
        let most = if are_many { SMALL_BLOCK } else { BLOCK };
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let room = most.saturating_sub(self.block.len());
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.add(now, most);
            rest = later;
            if self.block.len() >= most {
                self.write_block(Bytes::new()).await?;
            }
        }
        Ok(())
    }

    /// Adds bytes to the block, which doubles as it grows, and takes no more memory than a whole one.
    fn add(&mut self, bytes: &[u8], most: usize) {
        let length = self.block.len();
        let needed = length.saturating_add(bytes.len());
        if needed > self.block.capacity() {
            let room = self.block.capacity().saturating_mul(2).min(most);
            self.block.reserve_exact(room.max(needed) - length);
        }
        self.block.extend_from_slice(bytes);
    }

    /// The bytes that arrived.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The complete file.
    pub(super) async fn finish(mut self) -> Result<ArrivedFile, Stop> {
        if !self.block.is_empty() {
            self.write_block(Bytes::new()).await?;
        }
        let written = self.on_disk().await?;
        let mark = FileMark::of(&written.file)?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(written.digest.finish().as_ref());
        Ok(ArrivedFile {
            place: self.place,
            size: written.size,
            sha256,
            mark,
        })
    }

    /// Begins to write the block and the bytes after it, on a thread for such work. The next block fills meanwhile.
    async fn write_block(&mut self, after: Bytes) -> io::Result<()> {
        let mut written = self.on_disk().await?;
        let place = self.writers.0.place().await?;
        let block = mem::replace(&mut self.block, self.writers.0.take_spare());
        let writers = self.writers.0.clone();
        self.disk = Disk::Writing(tokio::task::spawn_blocking(move || {
            let done = written.add(&block).and_then(|()| written.add(&after));
            writers.give_spare(block);
            drop(place);
            done.map(|()| written)
        }));
        Ok(())
    }

    /// The file, when nothing is being written.
    async fn on_disk(&mut self) -> io::Result<Box<Written>> {
        let idle = match &mut self.disk {
            Disk::Writing(writing) => writing.await.map_err(io::Error::other).flatten(),
            Disk::Idle(_) | Disk::Failed => Err(io::Error::other("a block could not be written")),
        };
        match mem::replace(&mut self.disk, Disk::Failed) {
            Disk::Idle(written) => Ok(written),
            Disk::Writing(_) | Disk::Failed => idle,
        }
    }
}

impl Written {
    fn add(&mut self, block: &[u8]) -> io::Result<()> {
        let length = u64::try_from(block.len()).unwrap_or(u64::MAX);
        let size = self.size.saturating_add(length);
        // Looked at again with every MiB; many files may arrive at once.
        if let Some(free) = self.free.as_ref()
            && size / MIB > self.size / MIB
        {
            free.check(length)?;
        }
        self.file.write_all(block)?;
        self.digest.update(block);
        self.size = size;
        Ok(())
    }
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written")
            .field("file", &self.file)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::task::Poll;

    use super::*;
    use crate::secrets::sha256;

    async fn begun(directory: &Path) -> Arriving {
        Arriving::create(directory, None, None, BlockWriters::default())
            .await
            .unwrap()
    }

    fn count(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    /// ASVS: V5.3.1
    #[tokio::test]
    async fn a_file_that_arrives_is_its_owners_alone_and_goes_when_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let mut arriving = begun(directory.path()).await;
        let found = fs::metadata(arriving.place.path()).unwrap();
        let mode = found.permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "from the first moment");
        arriving.write(Bytes::from_static(b"hello")).await.unwrap();
        let arrived = arriving.finish().await.unwrap();
        assert_eq!(fs::read(arrived.place.path()).unwrap(), b"hello");
        assert_eq!((arrived.size, arrived.sha256), (5, sha256(b"hello")));
        drop(arrived);
        assert_eq!(count(directory.path()), 0);
        // The visitor goes away before the last byte, while a block is on its way to the disk.
        let mut arriving = begun(directory.path()).await;
        arriving.write(vec![b'a'; BLOCK + 1].into()).await.unwrap();
        drop(arriving);
        assert_eq!(count(directory.path()), 0);
    }

    /// However its bytes are cut, also at the ends of blocks, and beside many others.
    #[tokio::test]
    async fn a_file_has_the_bytes_that_arrived_and_their_hash() {
        let writers = BlockWriters::default();
        bytes_and_hash(&writers).await;
        let _others: Vec<_> = (0..=MANY).map(|_| Counted::new(writers.clone())).collect();
        bytes_and_hash(&writers).await;
    }

    async fn bytes_and_hash(writers: &BlockWriters) {
        let directory = tempfile::tempdir().unwrap();
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            for piece in [AS_IT_IS - 1, BLOCK / 2 + 3, BLOCK, 5 * BLOCK] {
                let arriving =
                    Arriving::create(directory.path(), None, None, writers.clone()).await;
                let mut arriving = arriving.unwrap();
                for piece in bytes.chunks(piece) {
                    let piece = Bytes::copy_from_slice(piece);
                    arriving.write(piece).await.unwrap();
                }
                assert_eq!(arriving.size(), length as u64);
                let arrived = arriving.finish().await.unwrap();
                assert_eq!(fs::read(arrived.place.path()).unwrap(), bytes, "{length}");
                assert_eq!(arrived.size, length as u64);
                assert_eq!(arrived.sha256, sha256(&bytes), "{length}");
            }
        }
    }

    /// Each of them would take a thread and a block.
    #[tokio::test(flavor = "multi_thread")]
    async fn many_files_share_a_few_blocks_at_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let writers = BlockWriters::default();
        let create = || Arriving::create(directory.path(), None, None, writers.clone());
        let mut waiting = create().await.unwrap();
        // As if each place had a block of another file.
        let places = Arc::clone(&writers.0.places);
        let taken = places
            .clone()
            .acquire_many_owned(WRITERS.try_into().unwrap());
        let taken = taken.await.unwrap();
        let block = Bytes::from(vec![b'a'; BLOCK]);
        {
            let mut writing = std::pin::pin!(waiting.write(block.clone()));
            let once = std::future::poll_fn(|context| Poll::Ready(writing.as_mut().poll(context)));
            assert!(once.await.is_pending());
            drop(taken);
            writing.await.unwrap();
        }
        assert_eq!(waiting.finish().await.unwrap().size, BLOCK as u64);
        for _ in 0..3 * WRITERS {
            let mut file = create().await.unwrap();
            for _ in 0..3 {
                file.write(block.clone()).await.unwrap();
            }
            file.finish().await.unwrap();
        }
        assert_eq!(places.available_permits(), WRITERS);
        assert_eq!(writers.0.files.load(Ordering::Relaxed), 0);
        let spare = writers.0.spare.lock().unwrap();
        assert!(!spare.is_empty() && spare.len() <= WRITERS);
        assert!(spare.iter().all(Vec::is_empty));
    }

    /// The one after it says so, and the end.
    #[tokio::test]
    async fn a_block_that_cannot_be_written_stops_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let full = FreeSpace::new(directory.path(), 0);
        let mut arriving =
            Arriving::create(directory.path(), None, Some(full), BlockWriters::default())
                .await
                .unwrap();
        let Disk::Idle(written) = &mut arriving.disk else {
            panic!("nothing is written yet");
        };
        written.free = Some(FreeSpace::new(directory.path(), u64::MAX));
        let mut stopped = None;
        for _ in 0..MIB as usize / BLOCK + 2 {
            if let Err(stop) = arriving.write(vec![0; BLOCK].into()).await {
                stopped = Some(stop);
                break;
            }
        }
        assert!(matches!(stopped, Some(Stop::Full(_))), "{stopped:?}");
        assert!(arriving.write(vec![0; BLOCK].into()).await.is_err());
        assert!(arriving.finish().await.is_err());
        assert_eq!(count(directory.path()), 0);
    }
}
