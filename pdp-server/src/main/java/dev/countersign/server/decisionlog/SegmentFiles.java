package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The port to the file system through which segments are written, so that tests can fill the disk. */
interface SegmentFiles {
    SegmentFiles SYSTEM = new SegmentFiles() {
        @Override
        public FileChannel create(Path file) throws IOException {
            return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        }

        @Override
        public FileChannel reuse(Path spare, Path file) throws IOException {
            Files.move(spare, file);
            try {
                return FileChannel.open(file, StandardOpenOption.WRITE);
            } catch (IOException e) {
                Spares.delete(file);
                throw e;
            }
        }

        @Override
        public long usableSpace(Path directory) throws IOException {
            return Files.getFileStore(directory).getUsableSpace();
        }

        @Override
        public void forceNames(Path directory) throws IOException {
            try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    };

    /** Opens a file for writing that must not exist yet. */
    FileChannel create(Path file) throws IOException;

    /** Gives a file another name, which must not exist yet, and opens it for writing; it keeps its length. */
    FileChannel reuse(Path spare, Path file) throws IOException;

    /** Bytes that can still be written below the directory. */
    long usableSpace(Path directory) throws IOException;

    /** Makes the names of the files in a directory durable. */
    void forceNames(Path directory) throws IOException;

    /** Writes all the bytes to a position. */
    static void write(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        for (long at = position; bytes.hasRemaining(); ) {
            at += channel.write(bytes, at);
        }
    }
}
