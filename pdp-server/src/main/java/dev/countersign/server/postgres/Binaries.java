package dev.countersign.server.postgres;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's programs, unpacked from the class path.
 *
 * @param bin the directory that holds {@code initdb}, {@code pg_ctl} and {@code postgres}
 */
record Binaries(Path bin) {

    private static final String PREFIX = "bin-";

    /**
     * Unpacks the archive below {@code home} unless that was done before, and deletes what other versions left there.
     * A directory of the final name is always whole: it is renamed into place. Callers hold the lock of {@code home}.
     */
    static Binaries unpack(Platform platform, Path home) throws IOException {
        URL archive = Binaries.class.getClassLoader().getResource(platform.archive());
        if (archive == null) {
            throw new PostgresException("the bundled PostgreSQL is missing: " + platform.archive()
                    + " is not on the class path; install the server again, with all of its lib directory");
        }
        Path unpacked = home.resolve(PREFIX + checksum(archive));
        for (Path other : unpackedIn(home)) {
            if (!other.equals(unpacked)) {
                Directories.delete(other);
            }
        }
        if (!Files.exists(unpacked)) {
            Path partial = home.resolve(unpacked.getFileName() + ".partial");
            extract(archive, partial);
            Files.move(partial, unpacked, StandardCopyOption.ATOMIC_MOVE);
        }
        return new Binaries(unpacked.resolve("bin"));
    }

    String program(String name) {
        return bin.resolve(name).toString();
    }

    private static List<Path> unpackedIn(Path home) throws IOException {
        try (Stream<Path> entries = Files.list(home)) {
            return entries.filter(entry -> entry.getFileName().toString().startsWith(PREFIX))
                    .toList();
        }
    }

    /** CRC-32 and size, which a jar's directory has at hand: hashing 15 MB would cost every start a tenth of a second. */
    private static String checksum(URL archive) throws IOException {
        URLConnection connection = archive.openConnection();
        connection.setUseCaches(false);
        if (connection instanceof JarURLConnection jar) {
            try (JarFile file = jar.getJarFile()) {
                ZipEntry entry = file.getEntry(jar.getEntryName());
                return name(entry.getCrc(), entry.getSize());
            }
        }
        CRC32 crc = new CRC32();
        try (InputStream in = new CheckedInputStream(connection.getInputStream(), crc)) {
            long size = in.transferTo(OutputStream.nullOutputStream());
            return name(crc.getValue(), size);
        }
    }

    private static String name(long crc, long size) {
        return String.format("%08x-%x", crc, size);
    }

    private static void extract(URL archive, Path target) throws IOException {
        try (InputStream in = archive.openStream();
                TarArchiveInputStream tar =
                        new TarArchiveInputStream(new BufferedInputStream(new XZInputStream(in), 1 << 16))) {
            Directories.create(target, "rwxr-xr-x");
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path path = target.resolve(entry.getName()).normalize();
                if (!path.startsWith(target)) {
                    throw new IOException("an entry of " + archive + " lies outside of it");
                }
                Path directory = entry.isDirectory() ? path : Objects.requireNonNullElse(path.getParent(), target);
                Directories.create(directory, "rwxr-xr-x");
                if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
                } else if (!entry.isDirectory()) {
                    Files.copy(tar, path);
                    boolean executable = (entry.getMode() & 0100) != 0;
                    Files.setPosixFilePermissions(
                            path, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
                }
            }
        }
    }
}
