"""The brokers a load is run on: Dohle, Apache Kafka from its jars, and the floor program. Each a process in a directory of its own."""
import json
import math
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOHLE = os.environ['DOHLE']
PROGRAMS = pathlib.Path(DOHLE).parent / 'tests'
LOAD = os.environ.get('DOHLE_LOAD') or str(PROGRAMS / 'dohle_load')
FLOOR = os.environ.get('DOHLE_FLOOR') or str(PROGRAMS / 'dohle_floor')
TICKS = os.sysconf('SC_CLK_TCK')
CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED: what clock_getcpuclockid(3) makes of a process id
# What kafka-run-class.sh gives a broker, and the heap of kafka-server-start.sh.
JAVA = ['java', '-Xms1g', '-Xmx1g', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35',
        '-XX:+ExplicitGCInvokesConcurrent', '-Djava.awt.headless=true']
# For both: acknowledged from the page cache, where a topic does not say otherwise.
PAGE_CACHE = 'log.flush.interval.messages=9223372036854775807'
LOAD_TIMEOUT_S = 600


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def arguments_of(options):
    """key=value; a key with a dot in it is written with `__`."""
    return [f'{key.replace("__", ".")}={value}' for key, value in options.items()]


def run_load(kind, timeout_s=LOAD_TIMEOUT_S, **options):
    """What `dohle_load KIND key=value...` prints."""
    done = subprocess.run([LOAD, kind, *arguments_of(options)], check=True, stdout=subprocess.PIPE, text=True, timeout=timeout_s)
    return json.loads(done.stdout.splitlines()[-1])


class Running:
    """A load that runs on a broker. CPU counts from when it is connected and prepared, memory is the most that was seen."""

    def __init__(self, broker, kind, core, options):
        self.broker = broker
        self.kind = kind
        self.pinned = core is not None
        self.everywhere = os.sched_getaffinity(0)
        if self.pinned:
            broker.pin({core})
            os.sched_setaffinity(0, {core})
        self.process = subprocess.Popen([LOAD, kind, f'broker={broker.address}', *arguments_of(options)], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.cpu, self.system = broker.cpu_s()

    def stop(self):
        """Ends an open loop early."""
        self.process.terminate()
        return self.finish()

    def finish(self):
        memory = self.broker.memory_mib()
        began = time.monotonic()
        while self.process.poll() is None:
            memory = max(memory, self.broker.memory_mib())
            if time.monotonic() - began > LOAD_TIMEOUT_S:
                self.process.kill()
            time.sleep(0.02)
        cpu, system = self.broker.cpu_s()
        if self.pinned:
            os.sched_setaffinity(0, self.everywhere)
            self.broker.pin(self.everywhere)
        if self.process.returncode != 0:
            raise SystemExit(f'{self.kind} on {self.broker.name} failed:\n{self.broker.end_of_log()}')
        return dict(json.loads(self.process.stdout.read()), cpu_s=cpu - self.cpu, system_s=system - self.system, memory_mib=memory)


class Process:
    """A process that is measured."""

    def __init__(self, name):
        self.name = name
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='dohle-bench-', dir=os.environ.get('DOHLE_BENCH_DIRECTORY')))
        self.port = free_port()
        self.log = open(self.directory / 'log', 'wb')
        self.process = None
        self.creates_topics = True
        self.environment = dict(os.environ)

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def spawn(self, command):
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=self.environment)

    def cpu_s(self):
        """CPU time of all its threads, ended ones too, to the nanosecond; what the kernel calls system time of it only in ticks."""
        fields = pathlib.Path(f'/proc/{self.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return time.clock_gettime(~self.process.pid << 3 | CLOCK_OF_PROCESS), int(fields[12]) / TICKS

    def memory_mib(self):
        for line in pathlib.Path(f'/proc/{self.process.pid}/status').read_text().splitlines():
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) / 1024
        raise SystemExit(f'{self.name} is gone')

    def pin(self, cpus):
        for thread in os.listdir(f'/proc/{self.process.pid}/task'):
            os.sched_setaffinity(int(thread), cpus)

    def begin_load(self, kind, core=None, **options):
        """Starts a load; with `core`, broker and load share that one."""
        return Running(self, kind, core, options)

    def load(self, kind, core=None, **options):
        return self.begin_load(kind, core, **options).finish()

    def create(self, topic, partitions=1, produce=1, **configs):
        if self.creates_topics:
            return run_load('create', broker=self.address, topic=topic, partitions=partitions, produce=produce, **configs)
        return None

    def delete(self, topic):
        if self.creates_topics:
            return run_load('delete', broker=self.address, topic=topic)
        return None

    def drop_from_page_cache(self):
        """What its logs hold is on the disk alone afterwards."""
        for path in self.directory.glob('data/*/*.log'):
            with open(path, 'rb') as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def end_of_log(self):
        return (self.directory / 'log').read_text(errors='replace')[-2000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def idle_cpu(self, seconds):
        """What it uses when nobody asks it anything, as a share of a core."""
        before, _ = self.cpu_s()
        time.sleep(seconds)
        return (self.cpu_s()[0] - before) / seconds

    def stop(self, within_s=60):
        """Milliseconds that it took to stop, or infinity: then it was killed."""
        began = time.monotonic()
        if self.process is None or self.process.poll() is not None:
            return 0.0
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return math.inf
        return (time.monotonic() - began) * 1000

    def remove(self):
        """Once, or again. Its data goes too, so that there is nothing to sync."""
        if self.process is not None:
            self.kill()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Node(Process):
    """A single node of Dohle or Kafka: formatted, started, stopped and started again."""

    def __init__(self, name, format_command, start_command, settings=()):
        super().__init__(name)
        controller = free_port()
        self.config = self.directory / 'server.properties'
        self.config.write_text('\n'.join([
            'process.roles=broker,controller', 'node.id=1', f'controller.quorum.bootstrap.servers=127.0.0.1:{controller}',
            f'listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}', 'controller.listener.names=CONTROLLER',
            f'log.dirs={self.directory / "data"}', 'offsets.topic.replication.factor=1', PAGE_CACHE, *settings, '']))
        self.start_command = start_command
        began = time.monotonic()
        subprocess.run(format_command + ['-c', str(self.config)], check=True, stdout=self.log, stderr=self.log)
        self.format_ms = (time.monotonic() - began) * 1000

    def start(self):
        self.spawn(self.start_command + [str(self.config)])

    def start_within(self, topic, seconds):
        """Milliseconds from the start of the process until a record for the topic, new or not, was accepted; infinity when it takes longer than that."""
        began = time.monotonic()
        self.start()
        try:
            run_load('create', timeout_s=seconds, broker=self.address, topic=topic, wait_s=seconds, exists=1)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            if self.process.poll() is not None:
                raise SystemExit(f'{self.name} did not start:\n{self.end_of_log()}') from None
            return math.inf
        return (time.monotonic() - began) * 1000

    def start_until_accepted(self, topic):
        took = self.start_within(topic, 120)
        if took == math.inf:
            raise SystemExit(f'{self.name} did not start:\n{self.end_of_log()}')
        return took


def cluster_id():
    return subprocess.run([DOHLE, 'storage', 'random-uuid'], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def dohle(shards=1, settings=(), name='Dohle'):
    return Node(name, [DOHLE, 'storage', 'format', '--standalone', '-t', cluster_id()], [DOHLE, 'server'], [f'shards={shards}', *settings])


def kafka(libs, settings=()):
    java = JAVA + ['-cp', libs + '/*']
    return Node('Kafka', java + ['kafka.tools.StorageTool', 'format', '--standalone', '-t', cluster_id()], java + ['kafka.Kafka'], settings)


class Floor(Process):
    """Nothing but what must be done; see tests/bench/floor. It has one log, whatever the topic, and never knows offsets of partitions."""

    def __init__(self, how='sendfile', environment=None):
        super().__init__('floor')
        self.creates_topics = False
        self.environment.update(environment or {})
        self.spawn([FLOOR, str(self.port), str(self.directory / 'log-file'), how])
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', self.port)) == 0:
                    return
            if self.process.poll() is not None:
                raise SystemExit(f'the floor program did not start:\n{self.end_of_log()}')
            time.sleep(0.01)

    def begin_load(self, kind, core=None, **options):
        if kind == 'produce':
            options['check_offsets'] = 0
        return super().begin_load(kind, core, **options)
