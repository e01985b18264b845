//! The host: what a server's answers and newcomers meet when there is too little of it.

use ftp421::id::ConnId;
use ftp421::server::profile::Counts;
use ftp421::server::{Control, Input, Policy};
use ftp421::time::Duration;

use super::desk::Desk;

fn policy(profile: &str, keys: &str) -> Policy {
    super::hour(&[super::server(profile, keys)]).servers[0].policy.clone()
}

/// Four greetings of a millisecond each on two cores: the third waits for the first.
#[test]
fn greetings_wait_for_a_core() {
    let mut policy = policy("rfc959", "[server.host]\ncores = 2");
    policy.greeting_cost = Duration::from_millis(1);
    let mut desk = Desk::with(policy);
    let conns: Vec<ConnId> = (0..4).map(|host| desk.connect(host)).collect();
    let at: Vec<Duration> = conns.iter().map(|conn| desk.spoke_at(*conn)).collect();
    assert_eq!(at, [1, 1, 2, 2].map(Duration::from_millis));
}

#[test]
fn an_event_loop_has_one_core_whatever_its_host_has() {
    let mut policy = policy("rfc959", "[server.host]\ncores = 8");
    policy.process.event_loop = true;
    policy.greeting_cost = Duration::from_millis(1);
    // The number of cores is settled when the server starts.
    let mut desk = Desk::with(policy);
    let conns: Vec<ConnId> = (0..3).map(|host| desk.connect(host)).collect();
    let at: Vec<Duration> = conns.iter().map(|conn| desk.spoke_at(*conn)).collect();
    assert_eq!(at, [1, 2, 3].map(Duration::from_millis));
}

#[test]
fn a_slow_processor_makes_everything_late() {
    let mut policy = policy("rfc959", "");
    policy.greeting_cost = Duration::from_millis(2);
    let mut desk = Desk::with(policy);
    desk.control(Control::SetSlowness(300));
    let alice = desk.connect(1);
    assert_eq!(desk.spoke_at(alice), Duration::from_millis(6));
    desk.control(Control::SetSlowness(100));
    let bob = desk.connect(2);
    assert_eq!(desk.spoke_at(bob), Duration::from_millis(2));
}

#[test]
fn a_connection_for_which_no_memory_is_left_is_refused() {
    let mut policy = policy("rfc959", "[server.host]\nmemory = \"1MiB\"");
    policy.process.memory_kib = 400;
    let mut desk = Desk::with(policy.clone());
    let (alice, _bob) = (desk.connect(1), desk.connect(2));
    assert!(desk.knock(3).starts_with("421"), "the third would need 1.2 MB");
    desk.hang_up(alice);
    assert!(desk.knock(4).starts_with("220"));
    policy.process.crashes = true;
    let mut desk = Desk::with(policy);
    let (alice, _bob) = (desk.connect(1), desk.connect(2));
    assert!(desk.knock(3).ends_with("(rst)"));
    assert!(desk.hears(alice).ends_with("(rst)"), "the whole server has died");
    assert_eq!((desk.slots(), desk.listens()), (0, false));
}

#[test]
fn processes_and_descriptors_run_out_too() {
    let mut policy = policy("rfc959", "[server.host]\nprocesses = 5\ndescriptors = 10");
    policy.process.processes = 2;
    policy.process.descriptors = 0;
    let mut desk = Desk::with(policy.clone());
    assert!(desk.knock(1).starts_with("220") && desk.knock(2).starts_with("220"));
    assert!(desk.knock(3).starts_with("421"), "two processes each, and five in all");
    policy.process.processes = 0;
    policy.process.descriptors = 1;
    let mut desk = Desk::with(policy);
    desk.control(Control::LeakDescriptors(8));
    let alice = desk.log_in(1, "alice");
    assert!(desk.types(alice, "PASV").starts_with("227"), "the tenth is for her data");
    assert!(desk.knock(2).starts_with("421"));
    assert!(desk.types(alice, "NOOP").starts_with("200"));
    desk.control(Control::LeakDescriptors(9));
    assert!(desk.types(alice, "PASV").starts_with("425"));
    desk.control(Control::LeakDescriptors(0));
    assert!(desk.knock(3).starts_with("220"));
}

/// Measured: 150, and then 451, 452 or 426; the session goes on.
#[test]
fn an_upload_to_a_full_disk_fails_and_the_session_goes_on() {
    let mut desk = Desk::new("rfc959", "");
    let alice = desk.log_in(1, "alice");
    desk.control(Control::FillDisk(true));
    desk.types(alice, "PASV");
    desk.data(Input::DataOpened { conn: alice });
    let heard = desk.types(alice, "STOR file");
    assert!(heard.starts_with("150") && heard.contains("452"), "{heard}");
    assert!(desk.types(alice, "NOOP").starts_with("200"));
    desk.control(Control::FillDisk(false));
    desk.types(alice, "PASV");
    desk.data(Input::DataOpened { conn: alice });
    desk.types(alice, "STOR file");
    desk.data(Input::TransferDone { conn: alice });
    assert!(desk.hears(alice).contains("226"));
}

/// `mod_load`: 421 at accept while the load average is too high. It rises and falls within minutes.
#[test]
fn a_load_average_that_is_too_high_refuses_newcomers() {
    let mut policy = policy("rfc959", "max_clients = 5\n[server.host]\ncores = 1");
    policy.checks[0].counts = Counts::Load;
    policy.set_limit(0, 2);
    policy.greeting_cost = Duration::from_secs(100);
    let mut desk = Desk::with(policy);
    for host in 0..4 {
        desk.connect(host);
    }
    assert_ne!(desk.knock(5), "(fin)", "the average follows the queue slowly");
    desk.wait(90.0);
    assert!(desk.knock(6).starts_with("421"));
    desk.wait(1_500.0);
    assert!(!desk.knock(7).starts_with("421"));
}
