package dev.countersign.server.tls;

import dev.countersign.server.config.ServerConfig.Variable;
import dev.countersign.server.config.TlsFiles;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the two files held when they were read.
 *
 * @param where the files
 */
record PemFiles(TlsFiles where, Buffer certificate, Buffer key) {
    /**
     * The files as they are now.
     *
     * @throws IllegalArgumentException if one cannot be read; the message names it
     */
    static PemFiles read(TlsFiles where) {
        return new PemFiles(where, read(Variable.TLS_CERT, where.certificate()), read(Variable.TLS_KEY, where.key()));
    }

    private static Buffer read(Variable variable, Path file) {
        try {
            return Buffer.buffer(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IllegalArgumentException(variable.key() + ": the file cannot be read: " + e, e);
        }
    }

    /** Printed without the key. */
    @Override
    public String toString() {
        return where.toString();
    }
}
