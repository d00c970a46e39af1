package dev.countersign.server.secrets;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** The file in which a server keeps the key of its embedded database: base64, readable by its owner alone. */
record KeyFile(Path path) {
    private static final Set<PosixFilePermission> OWNERS = PosixFilePermissions.fromString("rw-------");

    /**
     * The key in it; {@code null} if there is no such file.
     *
     * @throws IllegalArgumentException if it holds no key, or others may read it
     */
    @Nullable
    SecretKey read() throws IOException {
        if (!Files.exists(path)) {
            return null;
        }
        var others = EnumSet.copyOf(Files.getPosixFilePermissions(path));
        others.removeAll(EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));
        if (!others.isEmpty()) {
            throw new IllegalArgumentException(
                    path + " holds a key, and others than its owner may use it: chmod 600 " + path);
        }
        try {
            return key(Files.readString(path).strip());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    path + " holds no key of 32 bytes in base64; restore it from a backup", e);
        }
    }

    /** Puts a key there, in one step; it is on the disk when this returns. */
    void write(SecretKey key) throws IOException {
        Path beside = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(beside);
        Files.createFile(beside, PosixFilePermissions.asFileAttribute(OWNERS));
        try (var out = FileChannel.open(beside, StandardOpenOption.WRITE)) {
            out.write(ByteBuffer.wrap(
                    (Base64.getEncoder().encodeToString(key.getEncoded()) + "\n").getBytes(StandardCharsets.US_ASCII)));
            out.force(true);
        }
        Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE);
        try (var directory = FileChannel.open(path.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private static SecretKey key(String text) {
        byte[] bytes = Base64.getDecoder().decode(text);
        if (bytes.length != 32) {
            throw new IllegalArgumentException("not 32 bytes");
        }
        return new SecretKeySpec(bytes, "AES");
    }
}
