//! Both trees against the simplest one that could be right, and the disk against those who want out.

use std::collections::BTreeMap;
use std::io::Write as _;

use proptest::prelude::*;

use cap_std::fs::Dir;

use super::*;
use crate::scenario::Scenario;

/// What there should be: of a file its bytes, of a folder nothing.
type Model = BTreeMap<String, Option<Vec<u8>>>;

#[derive(Clone, Debug)]
enum Op {
    Put(String, Manner, Vec<u8>),
    Get(String),
    List(String),
    Make(String),
    RemoveFolder(String),
    RemoveFile(String),
    Rename(String, String),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let name = prop::sample::select(vec!["a", "b", "c d", "\u{e4}", "a*"]);
    let path = || prop::collection::vec(name.clone(), 0..4).prop_map(|names| format!("/{}", names.join("/")));
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let manner = prop_oneof![
        4 => Just(Manner::From(0)),
        2 => (0_u64..50).prop_map(Manner::From),
        2 => Just(Manner::Append)
    ];
    let op = prop_oneof![
        4 => (path(), manner, bytes).prop_map(|(path, manner, bytes)| Op::Put(path, manner, bytes)),
        2 => path().prop_map(Op::Get),
        2 => path().prop_map(Op::List),
        4 => path().prop_map(Op::Make),
        1 => path().prop_map(Op::RemoveFolder),
        1 => path().prop_map(Op::RemoveFile),
        3 => (path(), path()).prop_map(|(from, to)| Op::Rename(from, to)),
    ];
    prop::collection::vec(op, 1..60)
}

fn inside<'a>(model: &'a Model, path: &'a str) -> impl Iterator<Item = (&'a String, &'a str)> {
    let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
    let below = move |known: &'a String| {
        Some((known, known.strip_prefix(&prefix)?)).filter(|(_, rest)| !rest.is_empty())
    };
    model.keys().filter_map(below)
}

fn is_folder(model: &Model, path: &str) -> bool {
    matches!(model.get(path), Some(None))
}

/// What `op` should come to, and what is there behind it.
fn expected(model: &mut Model, op: &Op) -> Result<Vec<u8>, Refused> {
    let nothing = Ok(Vec::new());
    match op {
        Op::Put(path, manner, bytes) => {
            let old = match model.get(path) {
                Some(None) => return Err(Refused::IsFolder),
                Some(Some(old)) => Some(old.clone()),
                None if is_folder(model, synthetic::folder_of(path)) => None,
                None => return Err(Refused::Missing),
            };
            let mut new = old.unwrap_or_default();
            match manner {
                Manner::From(from) if *from > new.len() as u64 => return Err(Refused::PastEnd),
                Manner::From(from) => new.truncate(*from as usize),
                Manner::Append => {}
            }
            new.extend_from_slice(bytes);
            model.insert(path.clone(), Some(new));
            nothing
        }
        Op::Get(path) => match model.get(path) {
            None => Err(Refused::Missing),
            Some(None) => Err(Refused::IsFolder),
            Some(Some(bytes)) => Ok(bytes.clone()),
        },
        Op::List(path) => match model.get(path) {
            None if path.ends_with('*') => Err(Refused::Missing), // or what it means: not compared
            None => Err(Refused::Missing),
            Some(Some(_)) => Ok(format!("{}\r\n", path.rsplit('/').next().unwrap()).into_bytes()),
            Some(None) => {
                let names = inside(model, path).map(|(_, rest)| rest).filter(|rest| !rest.contains('/'));
                Ok(names.flat_map(|name| [name, "\r\n"]).collect::<String>().into_bytes())
            }
        },
        Op::Make(path) if model.contains_key(path) => Err(Refused::Exists),
        Op::Make(path) if !is_folder(model, synthetic::folder_of(path)) => Err(Refused::Missing),
        Op::Make(path) => {
            model.insert(path.clone(), None);
            nothing
        }
        Op::RemoveFolder(path) => match model.get(path) {
            None => Err(Refused::Missing),
            Some(Some(_)) => Err(Refused::IsFile),
            Some(None) if path == "/" => Err(Refused::ReadOnly),
            Some(None) if inside(model, path).next().is_some() => Err(Refused::NotEmpty),
            Some(None) => {
                model.remove(path);
                nothing
            }
        },
        Op::RemoveFile(path) => match model.get(path) {
            None => Err(Refused::Missing),
            Some(None) => Err(Refused::IsFolder),
            Some(Some(_)) => {
                model.remove(path);
                nothing
            }
        },
        Op::Rename(from, to) => {
            let folder = match model.get(from) {
                None => return Err(Refused::Missing),
                Some(_) if from == "/" => return Err(Refused::ReadOnly),
                Some(node) => node.is_none(),
            };
            match model.get(to) {
                _ if from == to => return nothing,
                _ if folder && to.starts_with(&format!("{from}/")) => return Err(Refused::BadName),
                Some(node) if folder || node.is_none() => return Err(Refused::Exists),
                None if !is_folder(model, synthetic::folder_of(to)) => return Err(Refused::Missing),
                _ => {}
            }
            let moved: Vec<String> = inside(model, from).map(|(path, _)| path.clone()).collect();
            for path in moved.into_iter().chain([from.clone()]) {
                let node = model.remove(&path).unwrap();
                model.insert(path.replacen(from.as_str(), to, 1), node);
            }
            nothing
        }
    }
}

fn done(tree: &mut dyn Tree, op: &Op) -> Result<Vec<u8>, Refused> {
    let nothing = Vec::new();
    match op {
        Op::Put(path, manner, bytes) => put(tree, path, *manner, bytes).map(|()| nothing),
        Op::Get(path) => get(tree, path),
        Op::List(path) => tree.listing(path, Verb::Nlst),
        Op::Make(path) => tree.make_folder(path, 0).map(|()| nothing),
        Op::RemoveFolder(path) => tree.remove_folder(path, 0).map(|()| nothing),
        Op::RemoveFile(path) => tree.remove_file(path, 0).map(|()| nothing),
        Op::Rename(from, to) => tree.rename(from, to, 0).map(|()| nothing),
    }
}

fn put(tree: &mut dyn Tree, path: &str, manner: Manner, bytes: &[u8]) -> Result<(), Refused> {
    match tree.sink(path, manner, 0)? {
        Sink::Disk(file) => {
            (&*file).write_all(bytes).unwrap();
            Ok(())
        }
        mut sink => sink.take(bytes, 0),
    }
}

fn get(tree: &mut dyn Tree, path: &str) -> Result<Vec<u8>, Refused> {
    let source = tree.source(path)?;
    let mut bytes = vec![0; source.size() as usize];
    source.fill(0, &mut bytes).unwrap();
    assert_eq!(tree.facts(path).map(|facts| facts.size), Ok(source.size()));
    Ok(bytes)
}

fn is_as_expected(tree: &mut dyn Tree, model: &mut Model, ops: &[Op]) {
    for op in ops {
        if matches!(op, Op::List(path) if path.ends_with('*') && !model.contains_key(path)) {
            continue; // a pattern, unless something is called so
        }
        assert_eq!(done(tree, op), expected(model, op), "{op:?}");
    }
    for (path, node) in model.iter() {
        let there = Op::Get(path.clone());
        assert_eq!(done(tree, &there), node.clone().ok_or(Refused::IsFolder), "{path}");
    }
}

fn empty() -> Memory {
    let text = "schema = 1\nname = \"e\"\nduration = \"1m\"\n[[clients]]\nname = \"a\"\n\
                arrivals = { executor = \"constant-clients\", clients = 1 }\n";
    let scenario = Scenario::read("test", text, &mut |_| Err(String::new())).unwrap();
    let mut memory = Memory::new(&Beginning::of(&scenario, &[]), 1, Streams::new(1, 0), 1 << 20);
    for path in [
        "/readme.txt",
        "/pub/1KiB.bin",
        "/pub/1MiB.bin",
        "/pub/100MiB.bin",
        "/pub/1GiB.bin",
        "/pub/10GiB.bin",
    ] {
        memory.remove_file(path, 0).unwrap();
    }
    memory.remove_folder("/pub", 0).unwrap();
    memory.remove_folder("/incoming", 0).unwrap();
    memory
}

fn just_the_root() -> Model {
    BTreeMap::from([("/".to_owned(), None)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_tree_in_memory_does_what_the_simplest_one_does(ops in ops()) {
        is_as_expected(&mut empty(), &mut just_the_root(), &ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_folder_of_the_disk_does_what_the_simplest_one_does(ops in ops()) {
        let root = tempfile::tempdir().unwrap();
        is_as_expected(&mut Disk::at(root.path(), true).unwrap(), &mut just_the_root(), &ops);
    }
}

// ---- those who want out --------------------------------------------------------------------------------------------

const SECRET: &[u8] = b"the canary sings";

/// A root with links of every kind, in a folder with a canary.
struct Cage {
    parent: tempfile::TempDir,
    outside: Dir,
}

impl Cage {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let outside = Dir::open_ambient_dir(parent.path(), cap_std::ambient_authority()).unwrap();
        outside.write("canary", SECRET).unwrap();
        outside.create_dir_all("root/dir/deep").unwrap();
        outside.write("root/dir/inside", b"fine").unwrap();
        let absolute = |name: &str| parent.path().join(name).to_str().unwrap().to_owned();
        for (link, goal) in [
            ("link_in", "dir/inside".to_owned()),
            ("dir/up_and_in", "../dir/deep".to_owned()),
            ("link_out", "../canary".to_owned()),
            ("dir_out", "..".to_owned()),
            ("dir/deep_out", "../../..".to_owned()),
            ("abs_out", absolute("canary")),
            ("abs_dir", absolute("")),
            ("abs_in", absolute("root/dir/inside")),
            ("proc", "/proc/self/cwd".to_owned()),
            ("loop", "loop".to_owned()),
            ("new_out", "../new".to_owned()),
        ] {
            outside.symlink_contents(goal, format!("root/{link}")).unwrap();
        }
        let _socket = std::os::unix::net::UnixListener::bind(parent.path().join("root/socket")).unwrap();
        Self { parent, outside }
    }

    fn root(&self) -> Disk {
        Disk::at(&self.parent.path().join("root"), true).unwrap()
    }

    fn is_whole(&self) {
        assert_eq!(self.outside.read("canary").unwrap(), SECRET);
        let mut names: Vec<_> = self.outside.entries().unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["canary", "root"]);
    }

    /// Tries everything with `path`.
    fn attack(&self, root: &mut Disk, path: &str) {
        assert_ne!(get(root, path).as_deref(), Ok(SECRET), "{path:?}");
        for verb in [Verb::List, Verb::Nlst, Verb::Mlsd] {
            let listed = root.listing(path, verb).unwrap_or_default();
            assert!(!String::from_utf8(listed).unwrap().contains("canary"), "{path:?}");
        }
        for manner in [Manner::Append, Manner::From(1), Manner::From(0)] {
            let _ = put(root, path, manner, b"dead");
        }
        let _ = root.rename(path, "/stolen", 0);
        assert_ne!(get(root, "/stolen").as_deref(), Ok(SECRET), "{path:?}");
        let _ = root.rename("/stolen", path, 0);
        let _ = root.rename("/dir/inside", path, 0);
        let _ = root.make_folder(path, 0);
        let _ = root.remove_file(path, 0);
        let _ = root.remove_folder(path, 0);
        self.is_whole();
    }
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let long = format!("/{}", "x".repeat(5_000));
    let deep = "/dir".repeat(3_000);
    for path in [
        "/link_out",
        "/dir_out/canary",
        "/dir_out/new",
        "/dir/deep_out/canary",
        "/dir/../../canary",
        "/../canary",
        "../canary",
        "/dir/deep/../../../canary",
        "/abs_out",
        "/abs_dir/canary",
        "/proc/canary",
        "/loop",
        "/loop/canary",
        "/new_out",
        "/socket",
        "/%2e%2e/canary",
        "/..%2fcanary",
        "/%c0%ae%c0%ae/canary",
        "/\u{ff0e}\u{ff0e}/canary",
        "/\u{fffd}\u{fffd}/canary",
        "/..\\canary",
        "/dir\0/../canary",
        "/\0",
        "/.",
        "/..",
        "//..//canary",
        "/dir/..",
        "/?anary",
        "/*",
        "/d*",
        "/dir_out/*",
        "/dir_out/c*",
        &long,
        &deep,
        "",
        "/",
    ] {
        let cage = Cage::new();
        cage.attack(&mut cage.root(), path);
        let path = cage.parent.path().join("canary");
        cage.attack(&mut cage.root(), path.to_str().unwrap());
    }
}

#[test]
fn a_link_to_the_inside_is_what_it_leads_to_and_any_other_is_not_there() {
    let cage = Cage::new();
    let mut root = cage.root();
    assert_eq!(get(&mut root, "/link_in").as_deref(), Ok(&b"fine"[..]));
    assert!(root.facts("/dir/up_and_in").unwrap().folder);
    let names = String::from_utf8(root.listing("/", Verb::Nlst).unwrap()).unwrap();
    assert_eq!(names, "dir\r\nlink_in\r\n");
    for path in ["/link_out", "/dir_out", "/abs_in", "/proc", "/loop", "/socket", "/new_out"] {
        assert!(root.facts(path).is_err() && root.source(path).is_err(), "{path}");
        assert!(root.remove_file(path, 0).is_err() && root.rename(path, "/x", 0).is_err(), "{path}");
        assert!(put(&mut root, path, Manner::From(0), b"x").is_err(), "{path}");
        assert!(root.rename("/link_in", path, 0).is_err() && root.make_folder(path, 0).is_err(), "{path}");
    }
    cage.is_whole();
}

#[test]
fn a_folder_is_not_changed_unless_that_is_wanted() {
    let cage = Cage::new();
    let mut root = Disk::at(&cage.parent.path().join("root"), false).unwrap();
    let refused = Err(Refused::ReadOnly);
    for manner in [Manner::From(0), Manner::From(1), Manner::Append] {
        assert_eq!(put(&mut root, "/dir/inside", manner, b"x"), refused);
        assert_eq!(put(&mut root, "/new", manner, b"x"), refused);
    }
    assert_eq!(root.make_folder("/new", 0), refused);
    assert_eq!(root.remove_folder("/dir/deep", 0), refused);
    assert_eq!(root.remove_file("/dir/inside", 0), refused);
    assert_eq!(root.rename("/dir/inside", "/new", 0), refused);
    assert_eq!(get(&mut root, "/dir/inside").as_deref(), Ok(&b"fine"[..]));
    assert!(!root.facts("/dir").unwrap().writable);
}

/// Between the look at a path and its use, somebody changes a folder for a link to the outside, and back.
#[test]
fn who_swaps_a_folder_for_a_link_gains_nothing() {
    let cage = Cage::new();
    let root = cage.outside.open_dir("root").unwrap();
    root.create_dir("swap").unwrap();
    root.write("swap/canary", b"fine").unwrap();
    root.symlink_contents("..", "evil").unwrap();
    let over = std::sync::atomic::AtomicBool::new(false);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(relaxed) {
                for (from, to) in [("swap", "rest"), ("evil", "swap"), ("swap", "evil"), ("rest", "swap")] {
                    root.rename(from, &root, to).unwrap();
                }
            }
        });
        let (mut disk, mut fine) = (cage.root(), 0);
        for _ in 0..3_000 {
            let got = disk.source("/swap/canary").map(|source| {
                let mut bytes = vec![0; source.size() as usize];
                source.fill(0, &mut bytes).unwrap();
                bytes
            });
            assert_ne!(got.as_deref(), Ok(SECRET));
            fine += u32::from(got.as_deref() == Ok(b"fine"));
            let _ = put(&mut disk, "/swap/new", Manner::From(0), b"x");
            let _ = disk.remove_file("/swap/new", 0);
        }
        over.store(true, relaxed);
        assert!(fine > 0);
    });
    cage.is_whole();
}

#[test]
fn a_name_that_cannot_be_shown_is_asked_for_as_it_is_shown() {
    use std::os::unix::ffi::OsStrExt as _;
    let cage = Cage::new();
    let root = cage.outside.open_dir("root").unwrap();
    for (name, bytes) in [(&b"caf\xe9"[..], "one"), (b"caf\xe8", "two"), (b"a\tb", "three"), (b"a?c", "four")]
    {
        root.write(std::ffi::OsStr::from_bytes(name), bytes).unwrap();
    }
    root.create_dir(std::ffi::OsStr::from_bytes(b"f\xff")).unwrap();
    root.write(std::ffi::OsStr::from_bytes(b"f\xff/in"), "five").unwrap();
    let mut disk = cage.root();
    for (path, bytes) in
        [("/caf\u{fffd}", "two"), ("/a?b", "three"), ("/a?c", "four"), ("/f\u{fffd}/in", "five")]
    {
        assert_eq!(get(&mut disk, path).as_deref(), Ok(bytes.as_bytes()), "{path}");
    }
    assert_eq!(disk.listing("/caf*", Verb::Nlst).unwrap(), "caf\u{fffd}\r\ncaf\u{fffd}\r\n".as_bytes());
    assert_eq!(put(&mut disk, "/new\u{fffd}", Manner::From(0), b""), Err(Refused::BadName));
    assert_eq!(put(&mut disk, "/f\u{fffd}/new", Manner::From(0), b""), Err(Refused::BadName));
}
