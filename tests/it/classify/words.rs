//! What administrators write in place of a server's own texts, and the same in German.
//!
//! These texts were written without a look at the classifier's words.

use ftp421::observe::Cause;

/// Free English texts for `cause`, as people write them.
pub fn altered(cause: Option<Cause>) -> &'static [&'static str] {
    use Cause as C;
    let Some(cause) = cause else {
        return &["Sorry, that did not work.", "No such thing here.", "Nope."];
    };
    match cause {
        C::MaxClients => &[
            "We are at capacity, please come back in a few minutes.",
            "All 30 lines are in use. Try one of our mirrors!",
            "ACME archive: too many visitors right now (limit 250).",
        ],
        C::MaxPerIp => &[
            "Only two logins from one machine, please close the others.",
            "You are connected too many times from 10.1.1.1 already",
            "ACME: max. 4 connections per host. Be fair!",
        ],
        C::MaxPerUser => &[
            "Your login is in use elsewhere.",
            "This account may be used only 4 times at once.",
            "alice has reached her limit of sessions",
        ],
        C::RateLimit => {
            &["You come back too quickly.", "Easy! Wait a little between two connections.", "Slow down."]
        }
        C::Banned => &[
            "Go away.",
            "Your address is on our list of unwelcome guests.",
            "Access from 10.1.1.1 has been blocked by the administrator.",
        ],
        C::LoginTimeout => {
            &["You did not log in in time.", "Who are you? Bye.", "Login timed out after 4 seconds."]
        }
        C::IdleTimeout => {
            &["Are you asleep? Goodbye.", "You were away for too long.", "Inactivity. Closing."]
        }
        C::NoopIdleTimeout => {
            &["Keeping the line busy is not work.", "Idle (only NOOPs) for too long.", "Enough NOOPs. Bye."]
        }
        C::NoTransferTimeout => &[
            "You have not moved any file for a while.",
            "No files for 45 seconds: bye.",
            "No transfer for too long.",
        ],
        C::SessionTimeout => &[
            "Your time is up.",
            "Sessions last a minute here, thank you for coming.",
            "Session limit reached, goodbye.",
        ],
        C::StalledTransfer => {
            &["Nothing moves any more.", "Transfer stalled, giving up.", "The data connection stands still."]
        }
        C::DataConnectTimeout => &[
            "Your data connection never came.",
            "Nobody connected to the port I gave you.",
            "No data connection: is there a firewall?",
        ],
        C::LoginAttempts => &[
            "That is enough guessing.",
            "Wrong again. Bye.",
            "Too many wrong passwords, closing the connection.",
        ],
        C::ShuttingDown => &[
            "We are closing for today.",
            "The archive goes down for maintenance at noon.",
            "Server restarts, back in 5 minutes.",
        ],
        C::Overload => &["The machine is too busy.", "Load average 30, try later.", "Overloaded."],
        C::ResourceExhausted => {
            &["The disk is full.", "Cannot do that now: nothing left.", "Out of resources."]
        }
        _ => &["Something went wrong.", "Internal error.", "Bug!"],
    }
}

/// German texts for `cause`.
pub fn german(cause: Option<Cause>) -> &'static [&'static str] {
    use Cause as C;
    let Some(cause) = cause else {
        return &["Befehl nicht verstanden.", "Datei nicht gefunden.", "Anmeldung fehlgeschlagen."];
    };
    match cause {
        C::MaxClients => &[
            "Zu viele Benutzer sind verbunden, bitte versuchen Sie es später.",
            "Es sind bereits 50 Benutzer angemeldet, das ist das Maximum.",
            "Die maximale Anzahl von Verbindungen ist erreicht.",
        ],
        C::MaxPerIp => &[
            "Zu viele Verbindungen von Ihrer Internetadresse.",
            "Zu viele Verbindungen (4) von dieser IP",
            "Die maximale Anzahl von Verbindungen (4) für Ihren Rechner ist erreicht.",
        ],
        C::MaxPerUser => &[
            "Ich kann nicht mehr als 4 Verbindungen desselben Benutzers annehmen",
            "Benutzer alice ist bereits 4 mal angemeldet.",
            "Zu viele Anmeldungen für dieses Konto.",
        ],
        C::RateLimit => {
            &["Sie verbinden sich zu oft.", "Bitte langsamer.", "Zu viele Verbindungen pro Sekunde."]
        }
        C::Banned => &[
            "Ihre Adresse wurde gesperrt.",
            "Keine Verbindungen von Ihrer IP erlaubt",
            "Zugriff verweigert.",
        ],
        C::LoginTimeout => &[
            "Zeitüberschreitung bei der Anmeldung (4 Sekunden)",
            "Anmeldezeit überschritten.",
            "Zeitüberschreitung.",
        ],
        C::IdleTimeout => &[
            "Zeitüberschreitung wegen Untätigkeit (20 Sekunden)",
            "Die Steuerverbindung ist abgelaufen.",
            "Zeitüberschreitung.",
        ],
        C::NoopIdleTimeout => &[
            "Zeitüberschreitung (keine Operation seit 40 Sekunden)",
            "Zu lange nichts getan",
            "Zeitüberschreitung",
        ],
        C::NoTransferTimeout => &[
            "Zu lange keine Übertragung (45 Sekunden)",
            "Zeit ohne Übertragung überschritten.",
            "Seit 45 Sekunden keine Datei übertragen.",
        ],
        C::SessionTimeout => &[
            "Die Sitzungszeit ist abgelaufen.",
            "Zeitlimit erreicht. Auf Wiedersehen.",
            "Sitzung beendet (60 Sekunden)",
        ],
        C::StalledTransfer => &[
            "Zeitüberschreitung der Datenverbindung.",
            "Die Übertragung steht still, abgebrochen.",
            "Datenkanal: Zeitüberschreitung. Bitte neu verbinden.",
        ],
        C::DataConnectTimeout => &[
            "Die Datenverbindung konnte nicht geöffnet werden.",
            "Zeitüberschreitung des passiven Datenkanals.",
            "Datenverbindung nicht möglich: Verbindung abgelehnt",
        ],
        C::LoginAttempts => &[
            "Anmeldung fehlgeschlagen. Verbindung wird getrennt.",
            "Zu viele Fehlversuche.",
            "Benutzer oder Passwort falsch.",
        ],
        C::ShuttingDown => &[
            "Der Server wird heruntergefahren.",
            "FTP-Server geschlossen (Wartung), bitte später wiederkommen",
            "Der Server geht offline",
        ],
        C::Overload => {
            &["System ausgelastet, bitte später versuchen", "Die Last ist zu hoch.", "Überlastet."]
        }
        C::ResourceExhausted => &[
            "Nicht genug Speicherplatz.",
            "Kein Platz mehr auf dem Gerät",
            "Dienst nicht verfügbar, Verbindung wird geschlossen.",
        ],
        _ => &["Interner Fehler.", "Zeile zu lang.", "Unerwarteter Fehler"],
    }
}
