package dev.countersign.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What processes cost, as {@code /proc} tells it, in hundredths of a second. */
final class Cpu {
    private static final double MICROS_PER_TICK = 10_000;
    private static final int USER = 11;
    private static final int CHILDREN_USER = 13;

    private Cpu() {}

    /** User and system time of one process in microseconds, without its children. */
    static double micros(ProcessHandle process) {
        return ticks(process.pid(), USER) * MICROS_PER_TICK;
    }

    /** User and system time in microseconds of all descendants of a process, those that ended included. */
    static double descendantsMicros(ProcessHandle process) {
        return process.descendants()
                        .mapToLong(child -> ticks(child.pid(), USER) + ticks(child.pid(), CHILDREN_USER))
                        .sum()
                * MICROS_PER_TICK;
    }

    /** Two neighbouring fields of the process's stat, counted from behind its name, which may hold blanks. */
    private static long ticks(long pid, int field) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).trim().split(" ", -1);
            return Long.parseLong(fields[field]) + Long.parseLong(fields[field + 1]);
        } catch (IOException e) {
            return 0; // it ended; its parent has its time
        }
    }

    /** Resident memory of a process in MiB. */
    static double residentMib(ProcessHandle process) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1_024;
            }
        }
        throw new IOException("no VmRSS for " + process.pid());
    }
}
