package dev.countersign.server.postgres;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The kind of machine that bundled binaries are for.
 *
 * @param archive the class path resource that holds PostgreSQL for it
 * @param loader the dynamic loader that these binaries name; it is there where the C library is glibc
 */
record Platform(String archive, Path loader) {

    private static final String INSTEAD =
            "; set DATABASE_URL to the PostgreSQL that the server shall use (postgres://user:password@host/database)";

    /** The platform of this JVM, as {@code os.name} and {@code os.arch} name it; arm64 has not been tried. */
    static Platform current() {
        Platform platform = of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
        if (!Files.exists(platform.loader)) {
            throw new PostgresException("the bundled PostgreSQL needs a Linux with glibc: " + platform.loader
                    + " is not there (Alpine has musl)" + INSTEAD);
        }
        return platform;
    }

    static Platform of(String osName, String osArch) {
        if (osName.equals("Linux")) {
            switch (osArch.toLowerCase(Locale.ROOT)) {
                case "amd64", "x86_64" -> {
                    return new Platform("postgres-linux-x86_64.txz", Path.of("/lib64/ld-linux-x86-64.so.2"));
                }
                case "aarch64", "arm64" -> {
                    return new Platform("postgres-linux-arm_64.txz", Path.of("/lib/ld-linux-aarch64.so.1"));
                }
                default -> {}
            }
        }
        throw new PostgresException("the bundled PostgreSQL runs on Linux x86-64 and arm64, and this is " + osName + " "
                + osArch + INSTEAD);
    }
}
