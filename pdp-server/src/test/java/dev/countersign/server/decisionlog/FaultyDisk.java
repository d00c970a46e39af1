package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/** A disk of which the test says how much still fits and whether it can be forced. */
final class FaultyDisk implements SegmentFiles {
    /** Bytes that still fit; a write takes what fits and then fails, as ENOSPC does. */
    volatile long free = Long.MAX_VALUE;

    /** What the disk says is free; an eighth of it is the size at which segments roll. */
    volatile long usable = 1L << 40;

    /** How many files were used again. */
    volatile int reused;

    /** Whether to remember what was in each file when it was forced last, or renamed. */
    volatile boolean keepForced;

    /** What was in the file that was written last, before that write. */
    volatile byte[] beforeLastWrite = {};

    final Map<Path, byte[]> forced = new ConcurrentHashMap<>();

    /** The names that a directory had when it was forced last. */
    volatile List<String> durableNames = List.of();

    volatile boolean forceFails;
    volatile boolean truncateFails;
    /** Each force takes one permit, so that a test can hold it back. */
    final Semaphore forces = new Semaphore(Integer.MAX_VALUE / 2);

    @Override
    public FileChannel create(Path file) throws IOException {
        return new Channel(file, SegmentFiles.SYSTEM.create(file));
    }

    @Override
    public FileChannel reuse(Path spare, Path file) throws IOException {
        reused++;
        if (keepForced) {
            forced.put(file, Files.readAllBytes(spare));
        }
        return new Channel(file, SegmentFiles.SYSTEM.reuse(spare, file));
    }

    @Override
    public long usableSpace(Path directory) {
        return usable;
    }

    @Override
    public void forceNames(Path directory) throws IOException {
        SegmentFiles.SYSTEM.forceNames(directory);
        durableNames = LogFixture.names(directory);
    }

    private final class Channel extends FileChannel {
        private final Path path;
        private final FileChannel file;

        Channel(Path path, FileChannel file) {
            this.path = path;
            this.file = file;
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            long there = Math.max(0, file.size() - position);
            long beyond = Math.max(0, source.remaining() - there);
            int fits = (int) (source.remaining() - beyond + Math.min(Math.max(0, free), beyond));
            if (fits == 0) {
                throw new IOException("No space left on device");
            }
            if (keepForced) {
                beforeLastWrite = Files.readAllBytes(path);
            }
            int written = file.write(source.slice(source.position(), fits), position);
            source.position(source.position() + written);
            free -= Math.max(0, written - there);
            return written;
        }

        @Override
        public FileChannel truncate(long size) throws IOException {
            if (truncateFails) {
                throw new IOException("Input/output error");
            }
            free = Math.max(free, free + file.size() - size);
            file.truncate(size);
            return this;
        }

        @Override
        public void force(boolean metaData) throws IOException {
            forces.acquireUninterruptibly();
            if (forceFails) {
                throw new IOException("Input/output error");
            }
            file.force(metaData);
            if (keepForced) {
                forced.put(path, Files.readAllBytes(path));
            }
        }

        @Override
        public long position() throws IOException {
            return file.position();
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        protected void implCloseChannel() throws IOException {
            file.close();
        }

        @Override
        public int read(ByteBuffer target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel position(long newPosition) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferTo(long position, long count, WritableByteChannel target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long position, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(ByteBuffer target, long position) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            int written = write(source, file.position());
            file.position(file.position() + written);
            return written;
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long position, long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock lock(long position, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }
    }
}
