package dev.countersign.server.postgres;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;

/** Copies of data directories and of the class path. */
final class Copies {
    private Copies() {}

    /** The class path where every user can read it. */
    static String classPath(Path target) throws IOException {
        StringBuilder copies = new StringBuilder();
        int number = 0;
        for (String entry : System.getProperty("java.class.path").split(":")) {
            Path source = Path.of(entry);
            if (Files.exists(source)) {
                Path copy = target.resolve(++number + "-" + source.getFileName());
                tree(source, copy);
                copies.append(copies.isEmpty() ? "" : ":").append(copy);
            }
        }
        return copies.toString();
    }

    /** Copies a file or directory, but only links to unpacked programs. */
    static void tree(Path source, Path target) throws IOException {
        Files.walkFileTree(source, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Path copy = target.resolve(source.relativize(directory));
                if (directory.getFileName().toString().startsWith("bin-")) {
                    Files.createSymbolicLink(copy, directory);
                    return FileVisitResult.SKIP_SUBTREE;
                }
                if (!Files.exists(copy)) {
                    Files.copy(directory, copy, StandardCopyOption.COPY_ATTRIBUTES);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.copy(
                        file,
                        target.resolve(source.relativize(file).toString()),
                        StandardCopyOption.COPY_ATTRIBUTES,
                        LinkOption.NOFOLLOW_LINKS);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
