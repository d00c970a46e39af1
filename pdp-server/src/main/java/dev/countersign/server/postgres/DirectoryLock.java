package dev.countersign.server.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The right of one server to a directory; the kernel ends it when the JVM dies, however it dies. */
final class DirectoryLock implements AutoCloseable {

    /**
     * The directories locked by this JVM. The kernel drops all of a process's locks on a file when any of its handles
     * on that file is closed, so a second attempt in one JVM must not even open it.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path directory;
    private final FileChannel channel;

    private DirectoryLock(Path directory, FileChannel channel) {
        this.directory = directory;
        this.channel = channel;
    }

    /**
     * Takes the lock.
     *
     * @param directory a real path
     * @throws PostgresException when another server has it
     */
    static DirectoryLock take(Path directory) throws IOException {
        if (!HELD.add(directory)) {
            throw refused(directory, "in this process");
        }
        Path file = directory.resolve("lock");
        FileChannel channel = null;
        FileLock lock = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            lock = channel.tryLock();
            if (lock == null) {
                throw refused(
                        directory, "with process id " + Files.readString(file).strip());
            }
            channel.truncate(0);
            channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(UTF_8)));
            return new DirectoryLock(directory, channel);
        } finally {
            if (lock == null) {
                HELD.remove(directory);
                if (channel != null) {
                    channel.close();
                }
            }
        }
    }

    private static PostgresException refused(Path directory, String holder) {
        return new PostgresException("another Countersign server (" + holder + ") uses the data directory "
                + directory.getParent() + "; stop it, choose another data directory, or set DATABASE_URL so that both"
                + " use one PostgreSQL");
    }

    @Override
    public void close() throws IOException {
        channel.close();
        HELD.remove(directory);
    }
}
