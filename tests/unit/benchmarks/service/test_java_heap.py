"""What lives in Java's heap is told from what the heap has touched."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.service.java_heap import JavaHeap, collected, heap_in, mappings
from benchmarks.service.served import Served
from benchmarks.service.vitals import Vitals, take
from tests import needs

SERIAL = """28135:
 def new generation   total 116224K, used 4096K [0x00000000c0000000, 0x00000000c7e10000, 0x00000000d5550000)
  eden space 103360K,   3% used [0x00000000c0000000, 0x00000000c0359a68, 0x00000000c64f0000)
 tenured generation   total 258048K, used 41984K [0x00000000d5550000, 0x00000000e5150000, 0x0000000100000000)
   the space 258048K,  16% used [0x00000000d5550000, 0x00000000d7ee75a8, 0x00000000d7ee7600, 0x00000000e5150000)
 Metaspace       used 27916K, committed 28160K, reserved 1114112K
"""
G1 = """28135:
 garbage-first heap   total 258048K, used 7168K [0x00000000c0000000, 0x0000000100000000)
  region size 1024K, 2 young (2048K), 0 survivors (0K)
 Metaspace       used 27916K, committed 28160K, reserved 1114112K
"""
G1_OF_JAVA_25 = """28135:
 garbage-first heap   total reserved 262144K, committed 258048K, used 7168K [0x00000000c0000000, 0x0000000100000000)
  region size 1024K, 2 young (2048K), 0 survivors (0K)
"""
SMAPS = """b0000000-c0000000 rw-p 00000000 00:00 0
Size:             262144 kB
Anonymous:          2048 kB
VmFlags: rd wr mr mw me ac sd
c0000000-d0000000 rw-p 00000000 00:00 0
Anonymous:        102400 kB
d0000000-100000000 ---p 00000000 00:00 0
VmFlags: mr mw me nr sd
100000000-100100000 rw-p 00000000 00:00 0
Anonymous:           512 kB
7f0000000000-7f0000100000 r-xp 00000000 fe:00 1234                       /usr/lib/libjvm.so
Anonymous:             4 kB
"""
KEEPS = """
public class Keeps {
    static byte[] sink;

    public static void main(String[] arguments) throws Exception {
        byte[][] kept = new byte[20][];
        for (int index = 0; index < 200; index++) {
            sink = new byte[1 << 20];
            java.util.Arrays.fill(sink, (byte) 1);
            if (index < kept.length) kept[index] = sink;
        }
        System.out.println("ready");
        System.in.read();
        System.out.println(kept.length);
    }
}
"""


@pytest.mark.parametrize(
    ("said", "live_mib"), [(SERIAL, 45.0), (G1, 7.0), (G1_OF_JAVA_25, 7.0)], ids=["serial", "g1", "g1-of-java-25"]
)
def test_a_heap_is_all_its_generations(said: str, live_mib: float) -> None:
    assert heap_in(7, said) == JavaHeap(7, 0xC0000000, 0x100000000, live_mib)


def test_memory_beside_the_heap_is_what_lies_in_none_of_it() -> None:
    assert JavaHeap(7, 0xC0000000, 0x100000000, 45.0).beside_mib(SMAPS) == (2048 + 512 + 4) / 1024


def test_an_entry_without_a_number_takes_none_of_the_next_one() -> None:
    assert mappings(SMAPS)[2:4] == [(0xD0000000, 0x100000000, 0), (0x100000000, 0x100100000, 512)]


@pytest.mark.parametrize(("first", "end"), [(0xC0100000, 0x100000000), (0xC0000000, 0x100080000)])
def test_memory_half_in_the_heap_is_no_guess(first: int, end: int) -> None:
    with pytest.raises(RuntimeError, match="lies half in Java's heap"):
        JavaHeap(7, first, end, 45.0).beside_mib(SMAPS)


def test_what_names_no_heap_is_said() -> None:
    with pytest.raises(RuntimeError, match="no heap in what jcmd says of process 7"):
        heap_in(7, "7:\nCommand not found")


def test_a_process_that_is_no_java_is_said() -> None:
    needs.tool("jcmd")
    with pytest.raises(RuntimeError, match=r"jcmd 1 GC\.run failed"):
        collected(1)


def test_vitals_of_other_processes_stay_as_they_are() -> None:
    other = Vitals(pid=8, role="worker", pss_mib=2, own_mib=1, files=3, cpu_s=4)
    assert JavaHeap(7, 0, 1, 5.0).instead_of_touched(other) is other


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_real_java_does_not_need_any_more_does_not_count(tmp_path: Path) -> None:
    """It has filled 200 MiB and keeps 20 of them."""
    needs.tool("jcmd")
    source = tmp_path / "Keeps.java"
    source.write_text(KEEPS)
    command = [needs.tool("java"), "-Xms400m", "-Xmx400m", "-XX:+UseSerialGC", str(source)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "ready\n"
        heap = collected(keeper.pid)
        vitals = next(each for each in take(Served("", "", keeper.pid)) if each.pid == keeper.pid)
        assert 20 < heap.live_mib < 40
        assert heap.instead_of_touched(vitals).own_mib < vitals.own_mib - 60
        keeper.stdin.close()
