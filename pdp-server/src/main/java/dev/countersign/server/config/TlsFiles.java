package dev.countersign.server.config;

import java.nio.file.Path;

/**
 * Where the certificate that the server shows is, both files in PEM.
 *
 * @param certificate the server's certificate, then those that vouch for it
 * @param key its private key, not encrypted
 */
public record TlsFiles(Path certificate, Path key) {}
