# A day of Python's ftplib. In: HOST PORT USER PASSWORD DAY, and what of "v6 active explicit implicit writes" is wanted.
import ftplib, ssl, sys

host, port, user, password, day, *wanted = sys.argv[1:]
context = ssl._create_unverified_context()


class Implicit(ftplib.FTP_TLS):
    """TLS from the first byte on: ftplib has no word for it, and everybody writes these lines."""

    @property
    def sock(self):
        return self._sock

    @sock.setter
    def sock(self, sock):
        self._sock = self.context.wrap_socket(sock) if sock and not isinstance(sock, ssl.SSLSocket) else sock


if "implicit" in wanted:
    ftp = Implicit(context=context, timeout=20)
elif "explicit" in wanted:
    ftp = ftplib.FTP_TLS(context=context, timeout=20)
else:
    ftp = ftplib.FTP(timeout=20)
ftp.connect(host, int(port))
if "implicit" in wanted:
    ftplib.FTP.login(ftp, user, password)
else:
    ftp.login(user, password)
if "implicit" in wanted or "explicit" in wanted:
    ftp.prot_p()
ftp.set_pasv("active" not in wanted)
ftp.cwd("/pub")
assert ftp.pwd() in ("/", "/pub")
with open("list", "w") as out:
    ftp.retrlines("LIST", lambda line: out.write(line + "\n"))
assert "big" in ftp.nlst()
ftp.voidcmd("TYPE I")  # some tell no size of a text
size = ftp.size("big")
with open("down", "wb") as out:
    ftp.retrbinary("RETR big", out.write)
with open("part", "r+b") as out:
    out.seek(0, 2)
    ftp.retrbinary("RETR big", out.write, rest=out.tell())
    assert out.tell() == size, (out.tell(), size)
if "writes" in wanted:
    ftp.mkd(day)
    ftp.cwd(day)
    ftp.storbinary("STOR new", open("up", "rb"))
    ftp.rename("new", "renamed")
    ftp.storbinary("STOR resumed", open("half", "rb"))
    with open("up", "rb") as up:
        had = ftp.size("resumed")
        up.seek(had)
        ftp.storbinary("STOR resumed", up, rest=had)
    ftp.storbinary("STOR gone", open("half", "rb"))
    ftp.delete("gone")
    ftp.mkd("kept")
    ftp.mkd("removed")
    ftp.rmd("removed")
print(ftp.quit())
