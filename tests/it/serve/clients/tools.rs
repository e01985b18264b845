//! What each client is told to do on its day: lines of shell, with the values of the day in braces.
//!
//! `reads` leaves a listing of /pub in `list`, a download of /pub/big in `down`, and completes `part`, which has its beginning.
//! `writes` makes the folder `{day}`, stores `up` there and calls it `renamed`, stores `half` and goes on with `up` as `resumed`,
//! stores and deletes `gone`, and makes the folders `kept` and `removed`, of which it removes the latter.

/// Which way a client goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Way {
    pub v6: bool,
    pub active: bool,
    pub tls: Tls,
}

/// Where TLS begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    No,
    Explicit,
    Implicit,
}

/// A client program.
pub struct Tool {
    pub name: &'static str,
    /// Which ways it can go.
    pub can: fn(Way) -> bool,
    /// Its words for a way, as `{way}`.
    pub says: fn(Way) -> String,
    pub reads: &'static str,
    /// Empty, if it cannot write.
    pub writes: &'static str,
}

impl Way {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let tls = [Tls::No, Tls::Explicit, Tls::Implicit];
        let both = [false, true];
        tls.into_iter().flat_map(move |tls| {
            both.into_iter().flat_map(move |v6| both.into_iter().map(move |active| Self { v6, active, tls }))
        })
    }

    fn words(self, active: &str, explicit: &str, implicit: &str) -> String {
        let tls = match self.tls {
            Tls::No => "",
            Tls::Explicit => explicit,
            Tls::Implicit => implicit,
        };
        format!("{} {tls}", if self.active { active } else { "" })
    }
}

fn for_lftp(way: Way) -> String {
    let passive = if way.active { "no" } else { "yes" };
    let tls = match way.tls {
        Tls::No => "set ftp:ssl-allow no",
        Tls::Explicit => "set ftp:ssl-force yes; set ftp:ssl-protect-data yes",
        Tls::Implicit => "set ftp:ssl-protect-data yes",
    };
    format!("set ftp:passive-mode {passive}; {tls}; set ssl:verify-certificate no")
}

/// All of them.
pub const TOOLS: [Tool; 8] = [
    Tool {
        name: "curl",
        // 7.88 shakes no hands where the server opens the connection.
        can: |way| !(way.active && way.tls != Tls::No),
        says: |way| way.words("--ftp-port -", "--insecure --ssl-reqd", "--insecure"),
        reads: "
            alias c='curl -sS {way}'
            c -o list {url}/pub/
            c -o down {url}/pub/big
            c -C - -o part {url}/pub/big",
        writes: "
            alias c='curl -sS {way}'
            c -T up --ftp-create-dirs {url}{day}/new
            c -l -Q 'RNFR {day}/new' -Q 'RNTO {day}/renamed' -Q 'MKD {day}/kept' -Q 'MKD {day}/removed' {url}{day}/
            c -T half {url}{day}/resumed
            c -C - -T up {url}{day}/resumed
            c -T half -Q '-DELE {day}/gone' -Q '-RMD {day}/removed' {url}{day}/gone",
    },
    Tool {
        name: "wget",
        can: |_| true,
        says: |way| {
            way.words("--no-passive-ftp", "--no-check-certificate", "--no-check-certificate --ftps-implicit")
        },
        reads: "
            alias w='wget -nv --tries=1 --timeout=20 {way}'
            w --no-remove-listing -O index {url}/pub/
            mv .listing list
            w -O down {url}/pub/big
            mv part big
            w -c {url}/pub/big
            mv big part",
        writes: "",
    },
    Tool {
        name: "lftp",
        // Of IPv6 it says "EPRT |2|::|", which no server can connect to.
        can: |way| !(way.active && way.v6),
        says: for_lftp,
        reads: "lftp -c 'set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 20; {way}; open {url}
            cls -l /pub > list
            get /pub/big -o down
            get -c /pub/big -o part'",
        writes: "lftp -c 'set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 20; {way}; open {url}
            mkdir {day}; cd {day}
            put up -o new
            mv new renamed
            put half -o resumed
            put -c up -o resumed
            put half -o gone
            rm gone
            mkdir kept removed
            rmdir removed'",
    },
    Tool {
        name: "ncftp",
        can: |way| way.tls == Tls::No && !way.v6,
        says: |way| if way.active { "-E" } else { "-F" }.to_owned(),
        reads: "
            who='-u {user} -p {password} -P {port} {way} -V'
            ncftpls -l -u {user} -p {password} {way} ftp://{host}:{port}/pub/ > list
            ncftpget $who -c {host} /pub/big > down
            mkdir r; mv part r/big
            ncftpget $who -z {host} r /pub/big
            mv r/big part",
        writes: "
            who='-u {user} -p {password} -P {port} {way} -V'
            ncftpput $who -m {host} {day} up
            ncftpput $who -c {host} {day}/resumed < half
            mkdir s; cp up s/resumed
            ncftpput $who -z {host} {day} s/resumed
            ncftpput $who -c {host} {day}/gone < half
            printf '%s\\n' 'cd {day}' 'rename up renamed' 'rm gone' 'mkdir kept' 'mkdir removed' 'rmdir removed' |
                ncftp -u {user} -p {password} -P {port} {host}",
    },
    Tool {
        name: "tnftp",
        can: |way| way.tls == Tls::No,
        says: |way| if way.active { "-A" } else { "-p" }.to_owned(),
        reads: "printf '%s\\n' 'user {user} {password}' binary 'ls /pub list' 'get /pub/big down' 'reget /pub/big part' bye |
            tnftp -i -n -V {way} {host} {port}",
        writes: "printf '%s\\n' 'user {user} {password}' binary 'mkdir {day}' 'cd {day}' \
            'put up new' 'rename new renamed' 'put half resumed' 'restart 100000' 'put up resumed' \
            'put half gone' 'delete gone' 'mkdir kept' 'mkdir removed' 'rmdir removed' bye |
            tnftp -i -n -V {way} {host} {port}",
    },
    Tool {
        name: "aria2",
        can: |way| way.tls == Tls::No,
        says: |way| way.words("--ftp-pasv=false", "", ""),
        // It cannot list.
        reads: "
            alias a='aria2c -q -m 1 -t 20 --file-allocation=none {way}'
            echo big > list
            a -x 3 -s 3 -k 1M -o down {url}/pub/big
            a -c -x 1 -o part {url}/pub/big",
        writes: "",
    },
    Tool {
        name: "ftplib",
        can: |_| true,
        says: |way| way.words("active", "explicit", "implicit"),
        reads: "$PYTHON {days}/with_ftplib.py {host} {port} {user} {password} {day} {way}",
        writes: "cp begun part; $PYTHON {days}/with_ftplib.py {host} {port} {user} {password} {day} {way} writes",
    },
    Tool {
        name: "aioftp",
        // Under TLS it shakes hands before it asks for anything, and the model behind the 150.
        can: |way| !way.active && way.tls == Tls::No,
        says: |way| way.words("", "explicit", "implicit"),
        reads: "$PYTHON {days}/with_aioftp.py {host} {port} {user} {password} {day} {way}",
        writes: "cp begun part; $PYTHON {days}/with_aioftp.py {host} {port} {user} {password} {day} {way} writes",
    },
];
