//! What is in a file that is kept in memory: a stretch of a seeded stream, which costs nothing, and behind it bytes that are held.
//!
//! It has no name, as an inode has none: a file that is removed while it is sent stays whole for whoever reads it.
//!
//! An upload that is itself such a stream is known by its first two words, so that the uploads of the load generator, and a file that
//! was fetched here and comes back, cost nothing either.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Refused;
use crate::live::content::{Content, RECOGNISED};

/// How many bytes all files together may hold.
#[derive(Clone, Debug)]
pub(super) struct Quota(Rc<Cell<u64>>);

impl Quota {
    pub(super) fn new(bytes: u64) -> Self {
        Self(Rc::new(Cell::new(bytes)))
    }

    /// What is left of it, bytes.
    #[cfg(test)]
    pub(super) fn left(&self) -> u64 {
        self.0.get()
    }

    fn take(&self, bytes: usize) -> Result<(), Refused> {
        let left = self.0.get().checked_sub(bytes as u64).ok_or(Refused::Full)?;
        self.0.set(left);
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.0.set(self.0.get().saturating_add(bytes as u64));
    }
}

/// A file as those who have it open share it.
pub(super) type Inode = Rc<RefCell<Body>>;

/// What is in a file.
#[derive(Debug)]
pub struct Body {
    /// The stream that it begins with, and how many bytes of it.
    made: Option<(Content, u64)>,
    held: Vec<u8>,
    /// When it was last changed, seconds since 1970.
    pub(super) modified: u64,
    quota: Quota,
}

/// The most that is asked for at once beyond what is needed, bytes.
const AHEAD: usize = 4 << 20;

impl Body {
    pub(super) fn empty(modified: u64, quota: &Quota) -> Inode {
        Rc::new(RefCell::new(Self { made: None, held: Vec::new(), modified, quota: quota.clone() }))
    }

    pub(super) fn made(content: Content, size: u64, modified: u64, quota: &Quota) -> Inode {
        let made = Some((content, size));
        Rc::new(RefCell::new(Self { made, held: Vec::new(), modified, quota: quota.clone() }))
    }

    /// Bytes.
    pub(super) fn size(&self) -> u64 {
        self.made_size() + self.held.len() as u64
    }

    /// The stream that it begins with.
    pub(super) fn content(&self) -> Option<Content> {
        self.made.map(|(content, _)| content)
    }

    /// Is it nothing but that?
    pub(super) fn is_made(&self) -> bool {
        self.held.is_empty()
    }

    fn made_size(&self) -> u64 {
        self.made.map_or(0, |(_, size)| size)
    }

    /// Copies its bytes from `at` on, and returns how many there were.
    pub(super) fn read(&self, at: u64, into: &mut [u8]) -> usize {
        let made = self.made_size();
        let first = made.saturating_sub(at).min(into.len() as u64) as usize;
        let (stream, rest) = into.split_at_mut(first);
        if let Some((content, _)) = self.made {
            content.fill(at, stream);
        }
        let skip = (at + first as u64).saturating_sub(made);
        let held = usize::try_from(skip).ok().and_then(|skip| self.held.get(skip..)).unwrap_or_default();
        let count = held.len().min(rest.len());
        rest[..count].copy_from_slice(&held[..count]);
        first + count
    }

    /// Forgets what is behind the first `size` bytes.
    pub(super) fn truncate(&mut self, size: u64) {
        let keep = size.saturating_sub(self.made_size()).min(self.held.len() as u64) as usize;
        self.quota.give_back(self.held.len() - keep);
        self.held.truncate(keep);
        self.held.shrink_to_fit();
        self.made = self.made.map(|(content, made)| (content, made.min(size))).filter(|(_, made)| *made > 0);
    }

    /// Writes `bytes` behind its end. What finds no room is not kept.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        // Where the first bytes came in small pieces, they are looked at again as soon as they are enough to be known.
        let size = self.size();
        let lacks = if size == 0 { 0 } else { (RECOGNISED as u64).saturating_sub(size) as usize };
        let (first, bytes) = bytes.split_at(lacks.min(bytes.len()));
        if !first.is_empty() {
            self.follow(first)?;
            self.look_again();
        }
        self.follow(bytes)
    }

    /// Goes on with the stream as long as `bytes` do, and holds the others.
    fn follow(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let stream = match self.made {
            Some(made) if self.held.is_empty() => Some(made),
            None if self.held.is_empty() => Content::recognised(bytes).map(|content| (content, 0)),
            _ => None,
        };
        let mut rest = bytes;
        if let Some((content, made)) = stream {
            let same = content.right(made, bytes);
            if same > 0 {
                self.made = Some((content, made + same as u64));
            }
            rest = &bytes[same..];
        }
        self.hold(rest)
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.quota.take(bytes.len())?;
        if self.held.capacity() - self.held.len() < bytes.len() {
            let more = bytes.len().max(self.held.len().min(AHEAD));
            if self.held.try_reserve_exact(more).is_err() {
                self.quota.give_back(bytes.len());
                return Err(Refused::Full);
            }
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn look_again(&mut self) {
        if self.made.is_none()
            && let Some(content) = Content::recognised(&self.held)
        {
            self.quota.give_back(self.held.len());
            self.made = Some((content, self.held.len() as u64));
            self.held = Vec::new();
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.quota.give_back(self.held.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(content: Content, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        content.fill(0, &mut bytes);
        bytes
    }

    fn whole(body: &Body) -> Vec<u8> {
        let mut bytes = vec![0; body.size() as usize + 10];
        let count = body.read(0, &mut bytes);
        bytes.truncate(count);
        bytes
    }

    #[test]
    fn a_seeded_stream_that_is_stored_costs_nothing_however_it_is_cut() {
        let bytes = filled(Content::of(7, "/anything"), 10_000);
        for piece in [1, 3, 8, 15, 16, 17, 1_000, 10_000] {
            let quota = Quota::new(RECOGNISED as u64);
            let file = Body::empty(0, &quota);
            for piece in bytes.chunks(piece) {
                file.borrow_mut().append(piece).unwrap();
            }
            assert_eq!(quota.left(), RECOGNISED as u64, "{piece}");
            assert_eq!(whole(&file.borrow()), bytes, "{piece}");
        }
    }

    #[test]
    fn what_differs_from_its_stream_is_held_from_there_on_and_given_back_in_the_end() {
        let mut bytes = filled(Content::of(7, "/anything"), 1_000);
        bytes[600] ^= 1;
        let quota = Quota::new(500);
        let file = Body::empty(0, &quota);
        file.borrow_mut().append(&bytes).unwrap();
        assert_eq!((quota.left(), whole(&file.borrow())), (100, bytes.clone()));
        assert_eq!(file.borrow_mut().append(&[0; 101]), Err(Refused::Full));
        assert_eq!(whole(&file.borrow()), bytes, "what was there stays");
        file.borrow_mut().truncate(700);
        assert_eq!((quota.left(), whole(&file.borrow())), (400, bytes[..700].to_vec()));
        file.borrow_mut().truncate(10);
        file.borrow_mut().append(&bytes[10..600]).unwrap();
        assert_eq!((quota.left(), whole(&file.borrow())), (500, bytes[..600].to_vec()));
        file.borrow_mut().append(&[1; 200]).unwrap();
        drop(file);
        assert_eq!(quota.left(), 500);
    }
}
