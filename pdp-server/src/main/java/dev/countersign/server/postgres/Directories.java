package dev.countersign.server.postgres;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Directories and files with given permissions and owners, whatever the process's umask is. */
final class Directories {
    private Directories() {}

    /** Creates the directory, and those above it, where they are not there; existing ones keep their permissions. */
    static void create(Path directory, String permissions) throws IOException {
        if (!Files.isDirectory(directory)) {
            Path above = directory.getParent();
            if (above != null) {
                create(above, permissions);
            }
            try {
                Files.createDirectory(directory);
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(permissions));
            } catch (FileAlreadyExistsException exists) {
                // Another server that starts at the same moment may have been faster.
                if (!Files.isDirectory(directory)) {
                    throw exists;
                }
            }
        }
    }

    /** Creates an empty file that only its owner reads and writes, in place of one that is there. */
    static void createPrivateFile(Path file) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    /** Deletes a file or a whole directory, if it is there. */
    static void delete(Path root) throws IOException {
        for (Path path : deepestFirst(root)) {
            Files.delete(path);
        }
    }

    /** Gives a whole directory to a user and their group, unless it is theirs already. */
    static void giveTo(int id, Path root) throws IOException {
        if (owner(root) == id) {
            return;
        }
        // The top comes last, so that an interrupted change is seen and done again.
        for (Path path : deepestFirst(root)) {
            Files.setAttribute(path, "unix:gid", id, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:uid", id, LinkOption.NOFOLLOW_LINKS);
        }
    }

    private static int owner(Path path) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    }

    private static List<Path> deepestFirst(Path root) throws IOException {
        if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.walk(root)) {
            return paths.sorted(Comparator.reverseOrder()).toList();
        }
    }
}
