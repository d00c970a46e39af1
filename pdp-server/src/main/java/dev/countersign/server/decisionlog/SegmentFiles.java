package dev.countersign.server.decisionlog;

import java.io.IOException;
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
        public long usableSpace(Path directory) throws IOException {
            return Files.getFileStore(directory).getUsableSpace();
        }
    };

    /** Opens a file for writing that must not exist yet. */
    FileChannel create(Path file) throws IOException;

    /** Bytes that can still be written below the directory. */
    long usableSpace(Path directory) throws IOException;
}
