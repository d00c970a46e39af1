package dev.countersign.server.identity;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The keys with which a first start on an empty database can be tried at once. */
public final class DemoKeys {
    /** The tenant they act in. */
    public static final String TENANT = "demo";

    private DemoKeys() {}

    /** Fresh keys: the operator's, an agent's, those of two persons, and one for each job around policies. */
    public static List<KeyStore.NewKey> draw(SecureRandom random) {
        List<Role> approver = List.of(Role.DECIDE, Role.APPROVALS_READ, Role.APPROVALS_APPROVE);
        return List.of(
                key(random, "operator", null, List.of(Role.OPERATOR), null),
                key(random, "agent", TENANT, List.of(Role.DECIDE), null),
                key(random, "alice", TENANT, approver, "alice"),
                key(random, "bob", TENANT, approver, "bob"),
                key(random, "author", TENANT, List.of(Role.POLICY_READ, Role.POLICY_WRITE), "author"),
                key(random, "publisher", TENANT, List.of(Role.POLICY_READ, Role.POLICY_PUBLISH), "publisher"),
                key(random, "admin", TENANT, List.of(Role.ADMIN), "admin"));
    }

    private static KeyStore.NewKey key(
            SecureRandom random, String name, @Nullable String tenant, List<Role> roles, @Nullable String person) {
        return new KeyStore.NewKey(
                ApiKey.draw(random), name, tenant, roles, person == null ? null : PersonName.of(person), null, null);
    }

    /**
     * Writes the secrets by key name as one JSON object, readable by the owner alone.
     *
     * @throws IOException if the file cannot be written
     */
    public static void write(Path file, List<KeyStore.NewKey> keys) throws IOException {
        Map<String, String> secrets = new LinkedHashMap<>();
        keys.forEach(key -> secrets.put(key.name(), key.key().secret()));
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        byte[] json = new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(secrets);
        try (var out = Files.newByteChannel(file, Set.of(StandardOpenOption.WRITE))) {
            out.write(java.nio.ByteBuffer.wrap(json));
        }
    }
}
