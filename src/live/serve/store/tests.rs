//! Both trees against the simplest one that could be right, and the disk against those who want out.

use std::collections::BTreeMap;
use std::io::Write as _;

use proptest::prelude::*;

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
                Ok(names.map(|name| format!("{name}\r\n")).collect::<String>().into_bytes())
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
