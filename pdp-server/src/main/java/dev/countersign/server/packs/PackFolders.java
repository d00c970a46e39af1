package dev.countersign.server.packs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The files under some folders as they look from outside. Whoever writes a file after it was read gives it another time, as
 * long as it is read a while after it was last written.
 *
 * @param files they, by path
 */
record PackFolders(Map<Path, Look> files) {
    private static final int MAX_DEPTH = 6;

    /** A file as it looks: a link counts as what it leads to, and a file that takes the place of another has another key. */
    record Look(long size, FileTime written, @Nullable Object key) {}

    /** How the files under {@code places} look now; {@code null} if they change while they are looked at. */
    static @Nullable PackFolders of(List<Path> places) {
        var files = new TreeMap<Path, Look>();
        try {
            for (Path place : places) {
                if (!Files.exists(place)) {
                    continue;
                }
                try (var paths = Files.walk(place, MAX_DEPTH, FileVisitOption.FOLLOW_LINKS)) {
                    for (Path path : paths.toList()) {
                        var found = Files.readAttributes(path, BasicFileAttributes.class);
                        if (!found.isDirectory()) {
                            files.put(path, new Look(found.size(), found.lastModifiedTime(), found.fileKey()));
                        }
                    }
                }
            }
        } catch (IOException | UncheckedIOException e) {
            return null;
        }
        return new PackFolders(files);
    }
}
