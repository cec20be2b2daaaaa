#!/usr/bin/env python3
"""Times `latido fetch` beside other downloaders, in turn, on one machine.

nginx serves generated files from memory on loopback; each contender fetches all of them into an empty directory, round
after round, the order changing each time. After every run each file is compared by its SHA-256, and a run that did not
bring all of them counts as failed. What is told is the median, and the ratio to curl within each round: those hold on
another machine, times do not.

Corpora: a 1 x 4 GiB, b 16 x 64 MiB, c 10,000 x 10 KiB, d 100,000 x 1 KiB; incompressible, the same bytes each time.
Needs nginx and curl; of the others (aria2c, wget2, python3-requests, openssl, sha256sum) those that are missing are left
out and told. Corpora a and b need 8 and 2 GiB of memory.

  cargo build --release && benches/fetch/run.py
  benches/fetch/run.py --corpora c --rounds 9 --disk /var/tmp
"""

import argparse
import hashlib
import os
import platform
import random
import resource
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

# Files, bytes each, transfers at the same time.
CORPORA = {
    "a": (1, 4 << 30, 1),
    "b": (16, 64 << 20, 4),
    "c": (10_000, 10 << 10, 16),
    "d": (100_000, 1 << 10, 16),
}
# The most that latido's wall time may be of another's: (corpus, the other, is on disk).
GOALS = {
    ("a", "curl", False): 1.0,
    ("b", "curl", False): 0.9,
    ("b", "aria2, checksums", False): 0.35,
    ("c", "curl", False): 0.75,
    ("c", "aria2, checksums", False): 0.2,
    ("d", "curl", False): 0.75,
    ("c", "curl", True): 1.0,
}
TOO_LONG = 900  # in seconds: such a run has failed
MEMORY_GOAL = ("c", 20)  # in MB
BLOCK = 64 << 20


# ===== what is fetched =====


class Corpus:
    """Files in a directory that nginx serves, and their digests."""

    def __init__(self, letter, scale, root):
        files, size, self.at_once = CORPORA[letter]
        self.letter = letter
        if files < 1000:
            size = max(1, int(size * scale))
        else:
            files = max(1, int(files * scale))
        self.files, self.size = files, size
        self.directory = root / letter
        self.directory.mkdir()
        self.digests = {}
        block = random.Random(f"latido {letter}").randbytes(min(BLOCK, max(size, 1 << 20)))
        for n in range(files):
            self._write(n, block)

    def _write(self, n, block):
        # Its number makes a file another than the next; where the block begins makes it different all over.
        start = n * 4099 % len(block)
        digest = hashlib.sha256()
        left = self.size
        name = f"file-{n:06}"
        with open(self.directory / name, "wb") as file:
            piece = n.to_bytes(16, "big") + block[start:]
            while left:
                piece = memoryview(piece)[:left]
                file.write(piece)
                digest.update(piece)
                left -= len(piece)
                piece = block
        self.digests[name] = digest.hexdigest()

    def is_in(self, directory):
        """Whether all of it is there, and right."""
        for name, digest in self.digests.items():
            try:
                with open(directory / name, "rb") as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                        return False
            except OSError:
                return False
        return True


class Nginx:
    """One of our own, with its own configuration, on a free port."""

    def __init__(self, root, scratch):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        temporary = "".join(
            f"{kind}_temp_path {scratch}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.getuid() == 0 else ""
        # A file that is kept open is a descriptor of each worker.
        descriptors = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 300_000)
        kept = max(1, descriptors - 10_000)
        config = scratch / "nginx.conf"
        config.write_text(
            f"""{user} daemon off; pid {scratch}/nginx.pid; error_log {scratch}/error.log warn;
            worker_processes auto; worker_rlimit_nofile {descriptors};
            events {{ worker_connections 4096; }}
            http {{
                {temporary} access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
                keepalive_requests 1000000; open_file_cache max={kept} inactive=1h;
                default_type application/octet-stream; etag on;
                server {{ listen 127.0.0.1:{self.port} backlog=4096; root {root}; }}
            }}"""
        )
        self.process = subprocess.Popen(["nginx", "-e", f"{scratch}/error.log", "-c", config])
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    sys.exit(f"nginx does not answer: {(scratch / 'error.log').read_text()}")
                time.sleep(0.01)

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()


# ===== who fetches =====


class Job:
    """A corpus to fetch: its lists in every format, made once."""

    def __init__(self, corpus, port, scratch):
        self.corpus = corpus
        base = f"http://127.0.0.1:{port}/{corpus.letter}"
        names = corpus.digests
        self.lists = scratch / f"lists-{corpus.letter}"
        self.lists.mkdir()
        write = lambda name, lines: (self.lists / name).write_text("".join(lines))
        write("urls", (f"{base}/{name}\n" for name in names))
        write("checked", (f"{base}/{name}\n  checksum=sha-256={hex}\n" for name, hex in names.items()))
        write("curl", (f'url="{base}/{name}"\noutput="{name}"\n' for name in names))
        write("sums", (f"{hex}  {name}\n" for name, hex in names.items()))


def shell(script):
    return ["sh", "-c", script]


def contenders(args):
    """Name, the programs it needs, and its command for a job; it runs in the directory that the files go to."""
    cores = os.cpu_count()
    curl = lambda job: (
        f"curl -sS --fail {'-Z --parallel-max ' + str(job.corpus.at_once) if job.corpus.files > 1 else ''} "
        f"-K {job.lists}/curl"
    )
    aria2 = lambda job, name: [
        "aria2c", "-q", f"-j{job.corpus.at_once}", "-x1", "--file-allocation=none", "-i", f"{job.lists}/{name}",
    ]  # fmt: skip
    latido = lambda job: [
        args.latido, "fetch", "-q", "-j", str(job.corpus.at_once), "-i", f"{job.lists}/checked", *args.latido_args,
    ]  # fmt: skip
    return [
        ("latido, checksums", [args.latido], latido),
        ("curl", ["curl"], lambda job: shell(f"exec {curl(job)}")),
        (
            "curl, then sha256sum",
            ["curl", "sha256sum"],
            lambda job: shell(f"{curl(job)} && exec sha256sum --quiet -c {job.lists}/sums"),
        ),
        (
            "curl, then openssl on all cores",
            ["curl", "openssl", "xargs"],
            lambda job: shell(
                f"{curl(job)} && ls | xargs -P {cores} -n {max(1, min(500, job.corpus.files // cores))} "
                "openssl dgst -sha256 -r > /dev/null"
            ),
        ),
        ("aria2", ["aria2c"], lambda job: aria2(job, "urls")),
        ("aria2, checksums", ["aria2c"], lambda job: aria2(job, "checked")),
        (
            "wget2",
            ["wget2"],
            lambda job: ["wget2", "-q", f"--max-threads={job.corpus.at_once}", "-i", f"{job.lists}/urls"],
        ),
        (
            "python threads, checksums",
            ["python3", "requests"],
            lambda job: [sys.executable, __file__, "--pool", f"{job.lists}/checked", str(job.corpus.at_once)],
        ),
    ]


def is_there(program):
    if program == "requests":
        return subprocess.run([sys.executable, "-c", "import requests"], stderr=subprocess.DEVNULL).returncode == 0
    return shutil.which(program) is not None


def pool(list_file, threads):
    """What people write in Python: requests in a pool of threads, hashlib, and a rename at the end."""
    from concurrent.futures import ThreadPoolExecutor

    import requests

    local = threading.local()

    def fetch(job):
        url, expected = job
        if not hasattr(local, "session"):
            local.session = requests.Session()
        name = url.rsplit("/", 1)[1]
        digest = hashlib.sha256()
        with local.session.get(url, stream=True, timeout=60) as answer, open(f".{name}.part", "wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_content(1 << 20):
                file.write(chunk)
                digest.update(chunk)
        if digest.hexdigest() != expected:
            raise ValueError(f"{name} is wrong")
        os.rename(f".{name}.part", name)

    lines = Path(list_file).read_text().splitlines()
    jobs = [(url, sum.rsplit("=", 1)[1]) for url, sum in zip(lines[::2], lines[1::2])]
    with ThreadPoolExecutor(threads) as executor:
        for _ in executor.map(fetch, jobs):
            pass


# ===== how long it takes =====


class Peak(threading.Thread):
    """The most memory that any process of a tree has had. The kernel's own number begins with what this script had when it
    forked, so for those who need less the processes are asked, fifty times a second; what they had is kept by the kernel."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.kib, self.over = pid, 0, threading.Event()

    def run(self):
        while True:
            self._look(self.pid)
            if self.over.wait(0.02):
                return

    def _look(self, pid):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:") and not self._is_us(pid):
                self.kib = max(self.kib, int(line.split()[1]))
        for child in children:
            self._look(child)

    @staticmethod
    def _is_us(pid):
        # Between fork and exec it is still this script.
        try:
            return os.readlink(f"/proc/{pid}/exe") == os.readlink("/proc/self/exe") and "--pool" not in Path(
                f"/proc/{pid}/cmdline"
            ).read_text().split("\0")
        except OSError:
            return True


def own_peak():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def timed(command, directory):
    """Wall seconds, processor seconds, peak KiB and exit code of a command and its children."""
    floor = own_peak()
    with open(os.devnull, "wb") as null, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=directory, stdin=null, stdout=null, stderr=errors, start_new_session=True
        )
        peak = Peak(process.pid)
        peak.start()
        end = threading.Timer(TOO_LONG, os.killpg, (process.pid, signal.SIGKILL))
        end.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            end.cancel()
        wall = time.perf_counter() - start
        peak.over.set()
        peak.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        kib = usage.ru_maxrss if usage.ru_maxrss > floor + 1024 else peak.kib
        if process.returncode != 0:
            errors.seek(0)
            print(f"  {shlex.join(map(str, command))[:200]}: exit {process.returncode}", file=sys.stderr)
            print("  " + errors.read(500).decode(errors="replace"), file=sys.stderr)
        return wall, usage.ru_utime + usage.ru_stime, kib, process.returncode


def measure(job, who, rounds, destination):
    """For each contender its runs, one a round; `None` is one that failed."""
    runs = {name: [] for name, _, _ in who}
    for number in range(rounds):
        turn = number % len(who)
        for name, _, command in who[turn:] + who[:turn]:
            directory = Path(tempfile.mkdtemp(dir=destination, prefix="fetched-"))
            try:
                os.sync()  # Nobody pays for what another has written.
                wall, cpu, kib, code = timed(command(job), directory)
                is_right = code == 0 and job.corpus.is_in(directory)
            finally:
                shutil.rmtree(directory)
            runs[name].append((wall, cpu, kib) if is_right else None)
            words = f"{wall:.2f} s" if is_right else "NOT ALL RIGHT"
            print(f"  {job.corpus.letter}, round {number + 1}, {name}: {words}", file=sys.stderr)
    return runs


# ===== what is told =====


def ratios(runs, name, other, column):
    """Within each round in which both did it."""
    pairs = zip(runs[name], runs[other])
    return [ours[column] / theirs[column] for ours, theirs in pairs if ours and theirs]


def spread(values):
    if not values:
        return "-"
    return f"{statistics.median(values):.2f} ({min(values):.2f}..{max(values):.2f})"


def tell(corpus, runs, is_on_disk, is_scaled):
    count, size = corpus.files, corpus.size
    where = "disk" if is_on_disk else "memory"
    print(f"\n### {corpus.letter}: {count:,} x {size:,} bytes, {corpus.at_once} at a time, to {where}\n")
    print("| | wall s | ratio to curl | processor s | ratio to curl | peak MB | right |")
    print("|---|---|---|---|---|---|---|")
    for name, all_runs in runs.items():
        done = [run for run in all_runs if run]
        if not done:
            print(f"| {name} | | | | | | 0 of {len(all_runs)} |")
            continue
        wall, cpu, kib = (statistics.median(column) for column in zip(*done))
        to_curl = [spread(ratios(runs, name, "curl", column)) for column in (0, 1)]
        print(
            f"| {name} | {wall:.2f} | {to_curl[0]} | {cpu:.2f} | {to_curl[1]} | {kib * 1024 / 1e6:.0f} "
            f"| {len(done)} of {len(all_runs)} |"
        )
    print()
    if is_scaled:
        return  # The goals are for whole corpora.
    ours = "latido, checksums"
    for (letter, other, disk), goal in GOALS.items():
        if letter == corpus.letter and disk == is_on_disk and other in runs and ours in runs:
            values = ratios(runs, ours, other, 0)
            if values:
                verdict = "met" if statistics.median(values) <= goal else "MISSED"
                print(f"- wall, of {other}: at most {goal}; {spread(values)}: {verdict}")
    if corpus.letter == MEMORY_GOAL[0] and any(runs.get(ours, [])):
        most = max(run[2] for run in runs[ours] if run) * 1024 / 1e6
        verdict = "met" if most < MEMORY_GOAL[1] else "MISSED"
        print(f"- memory: under {MEMORY_GOAL[1]} MB; {most:.0f} MB: {verdict}")


def version(program):
    flag = "-v" if program == "nginx" else "version" if program == "openssl" else "--version"
    said = subprocess.run([program, flag], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return said.splitlines()[0] if said else program


def machine():
    cpu = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores, {cpu}, Linux {platform.release()}"


def load():
    return " ".join(f"{number:.1f}" for number in os.getloadavg())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).resolve().parents[2]
    parser.add_argument("--corpora", default="a,b,c,d", help="which of them, such as b,c [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contender [%(default)s]")
    parser.add_argument("--only", help="contenders whose names contain one of these words, such as latido,curl")
    parser.add_argument("--scale", type=float, default=1.0, help="make corpora so much smaller, for a try; it is told")
    parser.add_argument("--memory", default="/dev/shm", help="a file system in memory [%(default)s]")
    parser.add_argument("--disk", help="fetch to this directory, on a real disk, instead of to memory")
    parser.add_argument("--latido", default=str(here / "target/release/latido"), help="the program [%(default)s]")
    parser.add_argument("--latido-args", type=shlex.split, default=[], help="more options for latido fetch")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and tidy up

    for needed in ("nginx", "curl", args.latido):
        if not is_there(needed):
            sys.exit(f"{needed} is missing; install it, or build it with cargo build --release")
    who = contenders(args)
    if args.only:
        who = [one for one in who if any(word in one[0] for word in args.only.split(","))]
    missing = {program for _, needs, _ in who for program in needs if not is_there(program)}
    who = [one for one in who if not missing.intersection(one[1])]
    if "curl" not in [name for name, _, _ in who]:
        sys.exit("without curl there is nothing to compare with; leave it in --only")

    print(f"{machine()}; load before: {load()}\n")
    programs = {program for _, needs, _ in who for program in needs} - {"requests", "xargs"}
    for program in sorted(programs | {"nginx"}):
        print(f"- {version(program)}")
    for program in sorted(missing):
        print(f"- {program} is missing, and left out")
    print(f"- {args.rounds} rounds" + (f"; THE CORPORA ARE SCALED BY {args.scale}" if args.scale != 1 else ""))

    scratch = Path(tempfile.mkdtemp(dir=args.memory, prefix="latido-bench-"))
    try:
        root = scratch / "served"
        root.mkdir()
        nginx = Nginx(root, scratch)
        try:
            for letter in args.corpora.split(","):
                corpus = Corpus(letter, args.scale, root)
                job = Job(corpus, nginx.port, scratch)
                runs = measure(job, who, args.rounds, args.disk or scratch)
                tell(corpus, runs, args.disk is not None, args.scale != 1)
                shutil.rmtree(corpus.directory)
        finally:
            nginx.stop()
    finally:
        shutil.rmtree(scratch)
    print(f"\nload after: {load()}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--pool"]:
        pool(sys.argv[2], int(sys.argv[3]))
    else:
        main()
