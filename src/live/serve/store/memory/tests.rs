use super::*;
use crate::scenario::Scenario;

fn memory_with(script: &str, stored: u64) -> Memory {
    let text = format!(
        "schema = 1\nname = \"files\"\nduration = \"1m\"\n[[clients]]\nname = \"a\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 1 }}\nscript = [\"login\", {script}]\n"
    );
    let scenario = Scenario::read("test", &text, &mut |_| Err(String::new())).unwrap();
    let beginning = Beginning::of(&scenario, &[("/named".to_owned(), 5)]);
    Memory::new(&beginning, 42, Streams::new(1, 0), stored)
}

fn memory() -> Memory {
    memory_with("\"quit\"", 1_000)
}

fn store(memory: &mut Memory, path: &str, manner: Manner, bytes: &[u8]) -> Result<(), Refused> {
    memory.sink(path, manner, 7)?.take(bytes, 8)
}

fn fetch(memory: &mut Memory, path: &str) -> Result<Vec<u8>, Refused> {
    let source = memory.source(path)?;
    let mut bytes = vec![0; source.size() as usize];
    source.fill(0, &mut bytes).unwrap();
    Ok(bytes)
}

fn listed(memory: &mut Memory, path: &str, verb: Verb) -> Result<String, Refused> {
    memory.listing(path, verb).map(|text| String::from_utf8(text).unwrap())
}

const NEW: Manner = Manner::From(0);

#[test]
fn a_file_is_as_large_as_the_script_says() {
    let mut files = memory_with(
        r#"{ cwd = "/pub" }, { size = "asked" }, { retr = "10MiB", path = "big" }, { stor = "1B", path = "/in/deep/up" },
            { rest = "9B" }, { stor = "1B", path = "part" },
            { retr = { dist = "uniform", low = "1B", high = "9B" }, path = "/pub/deep/small" }, "quit""#,
        0,
    );
    for (path, size) in [("/pub/big", 10 << 20), ("/pub/asked", OTHER), ("/pub/part", 9), ("/named", 5)] {
        assert_eq!(files.facts(path).map(|facts| facts.size), Ok(size), "{path}");
    }
    let drawn: Vec<u64> = (0..50).map(|_| files.source("/pub/deep/small").unwrap().size()).collect();
    assert!(drawn.iter().all(|size| (1..=9).contains(size)) && drawn.iter().any(|size| *size != drawn[0]));
    assert!(files.facts("/in/deep").unwrap().folder, "an upload's folder is there");
    for missing in ["/pub/unheard-of", "/in/deep/up", "/pub/big/inside", "/nowhere/at/all"] {
        assert_eq!(files.facts(missing), Err(Refused::Missing), "{missing}");
    }
}

#[test]
fn a_few_files_are_always_there() {
    let mut files = memory();
    assert_eq!(files.facts("/pub/10GiB.bin").unwrap().size, 10 << 30);
    let names = listed(&mut files, "/", Verb::Nlst).unwrap();
    assert_eq!(names, "incoming\r\nnamed\r\npub\r\nreadme.txt\r\n");
    let mut bytes = [0; 100];
    files.source("/pub/10GiB.bin").unwrap().fill(9 << 30, &mut bytes).unwrap();
    assert_eq!(Content::of(42, "/pub/10GiB.bin").wrong(9 << 30, &bytes), 0);
}

#[test]
fn a_listing_is_as_long_as_the_script_says_and_all_that_is_in_it_can_be_fetched() {
    let mut files = memory_with(
        r#"{ cwd = "/pub" }, { list = "2000B" }, { retr = "10MiB", path = "big" }, { list = "10B", path = "/" }, "quit""#,
        1_000,
    );
    for verb in [Verb::List, Verb::Nlst, Verb::Mlsd] {
        let listing = listed(&mut files, "/pub", verb).unwrap();
        assert_eq!(listing.len(), 2_000);
        for line in listing.lines() {
            let name = line.split(' ').next_back().unwrap();
            assert!(files.source(&format!("/pub/{name}")).is_ok(), "{line}");
        }
    }
    assert_eq!(files.listing("/", Verb::List).unwrap().len(), 10);
    assert_eq!(files.remove_file("/pub/file-0000001", 0), Err(Refused::ReadOnly));
    assert_eq!(store(&mut files, "/pub/file-0000001", NEW, b"mine"), Ok(()));
    assert_eq!(fetch(&mut files, "/pub/file-0000001"), Ok(b"mine".to_vec()));
    assert_eq!(files.remove_folder("/pub", 0), Err(Refused::NotEmpty));
    for other in ["/pub/file-0000000", "/pub/file-1", "/pub/file-9999999", "/incoming/file-0000001"] {
        assert_eq!(files.facts(other), Err(Refused::Missing), "{other}");
    }
}

#[test]
fn what_is_uploaded_is_there_and_goes_on_where_it_broke_off() {
    let mut files = memory();
    store(&mut files, "/incoming/a", NEW, b"hello").unwrap();
    assert_eq!(files.facts("/incoming/a"), Ok(Facts { folder: false, size: 5, modified: 8, writable: true }));
    store(&mut files, "/incoming/a", Manner::From(5), b", world").unwrap();
    store(&mut files, "/incoming/a", Manner::Append, b"!").unwrap();
    assert_eq!(fetch(&mut files, "/incoming/a"), Ok(b"hello, world!".to_vec()));
    store(&mut files, "/incoming/a", Manner::From(4), b"-kitchen").unwrap();
    assert_eq!(fetch(&mut files, "/incoming/a"), Ok(b"hell-kitchen".to_vec()), "what was behind is gone");
    assert_eq!(store(&mut files, "/incoming/a", Manner::From(13), b""), Err(Refused::PastEnd));
    assert_eq!(store(&mut files, "/incoming/b", Manner::From(1), b""), Err(Refused::PastEnd));
    store(&mut files, "/incoming/b", Manner::Append, b"new").unwrap();
    assert_eq!(fetch(&mut files, "/incoming/b"), Ok(b"new".to_vec()));
    assert_eq!(store(&mut files, "/incoming", NEW, b""), Err(Refused::IsFolder));
    assert_eq!(store(&mut files, "/nowhere/a", NEW, b""), Err(Refused::Missing));
}

#[test]
fn a_download_stays_whole_whatever_becomes_of_its_file() {
    let mut files = memory();
    store(&mut files, "/a", NEW, b"the first").unwrap();
    let open = files.source("/a").unwrap();
    store(&mut files, "/a", NEW, b"another").unwrap();
    files.remove_file("/a", 0).unwrap();
    let mut bytes = vec![0; open.size() as usize];
    open.fill(0, &mut bytes).unwrap();
    assert_eq!(bytes, b"the first");
    drop(open);
    assert_eq!(files.quota.left(), 1_000);
}

#[test]
fn there_is_only_so_much_room() {
    let mut files = memory();
    assert_eq!(store(&mut files, "/a", NEW, &[1; 1_000]), Ok(()));
    assert_eq!(store(&mut files, "/b", NEW, &[1; 1]), Err(Refused::Full));
    assert_eq!(files.facts("/b").unwrap().size, 0, "what came before it was full");
    files.remove_file("/a", 0).unwrap();
    assert_eq!(store(&mut files, "/b", NEW, &[1; 1_000]), Ok(()));
    let mut made = 0;
    let full = loop {
        match files.make_folder(&format!("/f{made}"), 0) {
            Ok(()) => made += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((made, full), (MADE - 1, Refused::Full));
    assert_eq!(store(&mut files, "/c", NEW, b""), Err(Refused::Full));
    assert_eq!(store(&mut files, "/b", NEW, b"others are still replaced"), Ok(()));
    files.remove_folder("/f0", 0).unwrap();
    assert_eq!(store(&mut files, "/c", NEW, b""), Ok(()));
}

#[test]
fn names_and_depths_have_an_end() {
    let mut files = memory();
    let long = format!("/{}", "x".repeat(NAME));
    assert_eq!(files.make_folder(&long, 0), Ok(()));
    for bad in [format!("{long}x"), "/a\u{7f}".to_owned(), "/a\0b".to_owned(), "/caf\u{fffd}".to_owned()] {
        assert_eq!(files.make_folder(&bad, 0), Err(Refused::BadName), "{bad:?}");
        assert_eq!(store(&mut files, &bad, NEW, b""), Err(Refused::BadName), "{bad:?}");
        assert_eq!(files.rename(&long, &bad, 0), Err(Refused::BadName), "{bad:?}");
    }
    let mut path = String::new();
    let deepest = loop {
        path.push_str("/d");
        if let Err(refused) = files.make_folder(&path, 0) {
            break refused;
        }
    };
    assert_eq!((deepest, path.len()), (Refused::BadName, 2 * DEPTH + 2));
    // Nor can anything be moved so deep.
    files.make_folder("/a", 0).unwrap();
    assert_eq!(files.rename("/d", "/a/d", 0), Err(Refused::BadName));
    let mut path = String::new();
    while files.make_folder(&format!("{path}/{}", "y".repeat(200)), 0).is_ok() {
        path = format!("{path}/{}", "y".repeat(200));
    }
    assert_eq!(path.len(), PATH / 201 * 201);
    assert_eq!(files.rename(&path[..201], &format!("/{}", "z".repeat(250)), 0), Err(Refused::BadName));
}

#[test]
fn renaming_moves_and_never_destroys_a_folder() {
    let mut files = memory();
    files.make_folder("/a", 0).unwrap();
    files.make_folder("/a/b", 0).unwrap();
    store(&mut files, "/a/b/file", NEW, b"one").unwrap();
    store(&mut files, "/other", NEW, b"two").unwrap();
    for (from, to, refused) in [
        ("/a", "/a/b/c", Refused::BadName),
        ("/a", "/incoming", Refused::Exists),
        ("/a", "/other", Refused::Exists),
        ("/other", "/a", Refused::Exists),
        ("/", "/c", Refused::ReadOnly),
        ("/c", "/d", Refused::Missing),
        ("/a", "/c/d", Refused::Missing),
        ("/a", "/other/d", Refused::Missing),
    ] {
        assert_eq!(files.rename(from, to, 0), Err(refused), "{from} {to}");
    }
    assert_eq!(files.rename("/a", "/a", 0), Ok(()));
    assert_eq!(files.rename("/a", "/ab", 0), Ok(()), "it only begins with the same letters");
    assert_eq!(files.rename("/ab/b/file", "/other", 0), Ok(()));
    assert_eq!(fetch(&mut files, "/other"), Ok(b"one".to_vec()));
    assert_eq!(files.rename("/readme.txt", "/r", 0), Ok(()));
    let bytes = fetch(&mut files, "/r").unwrap();
    assert_eq!(Content::of(42, "/readme.txt").wrong(0, &bytes), 0, "its bytes move with it");
    assert_eq!(files.remove_folder("/ab", 0), Err(Refused::NotEmpty));
    assert_eq!(files.remove_folder("/ab/b", 0), Ok(()));
    assert_eq!(files.remove_folder("/ab", 0), Ok(()));
    assert_eq!(files.remove_folder("/", 0), Err(Refused::ReadOnly));
    assert_eq!(files.remove_folder("/other", 0), Err(Refused::IsFile));
    assert_eq!(files.remove_file("/pub", 0), Err(Refused::IsFolder));
}

#[test]
fn the_last_name_may_be_a_pattern() {
    let mut files = memory();
    assert_eq!(listed(&mut files, "/pub/1[GM]*", Verb::Nlst), Err(Refused::Missing), "only * and ?");
    assert_eq!(
        listed(&mut files, "/pub/1?iB.*", Verb::Nlst),
        Ok("1GiB.bin\r\n1KiB.bin\r\n1MiB.bin\r\n".to_owned())
    );
    assert_eq!(listed(&mut files, "/p*/x", Verb::Nlst), Err(Refused::Missing));
    assert_eq!(listed(&mut files, "/nothing*", Verb::List), Err(Refused::Missing));
    store(&mut files, "/a*", NEW, b"").unwrap();
    store(&mut files, "/ab", NEW, b"").unwrap();
    assert_eq!(listed(&mut files, "/a*", Verb::Nlst), Ok("a*\r\n".to_owned()), "a file may be called so");
    assert!(listed(&mut files, "/readme.txt", Verb::List).unwrap().ends_with(" readme.txt\r\n"));
    assert_eq!(listed(&mut files, "/readme.txt", Verb::Mlsd), Err(Refused::IsFile));
}
