package dev.countersign.server.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The identity that PostgreSQL runs under. It refuses to run as root, so where the server is root it runs in a user
 * namespace of its own, or as {@code nobody} where such namespaces are forbidden.
 *
 * <p>Each runs PostgreSQL in a session of its own, so that Ctrl-C in a terminal leaves the order of shutting down to the
 * server, and has the kernel interrupt it when the thread that spawned it ends.
 */
enum RunAs {
    SELF("as the same user", "setsid setpriv --pdeathsig INT"),
    NAMESPACE("in a user namespace without root's rights", "setsid unshare --user setpriv --pdeathsig INT"),
    NOBODY("as the user nobody", "setsid setpriv --reuid=65534 --regid=65534 --clear-groups --pdeathsig INT");

    private static final int NOBODY_ID = 65534;

    private final String description;
    private final String prefix;

    RunAs(String description, String prefix) {
        this.description = description;
        this.prefix = prefix;
    }

    static RunAs detect() throws IOException {
        if (!isRoot()) {
            return SELF;
        }
        return NAMESPACE.works() ? NAMESPACE : NOBODY;
    }

    static boolean isRoot() throws IOException {
        // The real, effective, saved and file system user id.
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .anyMatch(line -> line.matches("Uid:\\s+\\d+\\s+0\\s.*"));
    }

    private boolean works() throws IOException {
        Process trial = Programs.spawn(new ProcessBuilder(command("true"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD));
        return Programs.await(trial) == 0;
    }

    /** The command that runs a program under this identity. */
    List<String> command(String... program) {
        return Stream.concat(Stream.of(prefix.split(" ")), Stream.of(program)).toList();
    }

    /** Makes this identity the owner of a file or a whole directory. */
    void own(Path path) throws IOException {
        if (this != SELF) {
            Directories.giveTo(this == NOBODY ? NOBODY_ID : 0, path);
        }
    }

    /** How PostgreSQL runs, to follow "it runs". */
    String description() {
        return description;
    }
}
