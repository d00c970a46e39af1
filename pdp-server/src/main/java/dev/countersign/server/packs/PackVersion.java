package dev.countersign.server.packs;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A published version of a pack, which nobody changes.
 *
 * @param tenant whose it is; {@code null} for the operator's, which judges every tenant
 * @param name the pack's name
 * @param version the number of the version, 0 for one that is to be published
 * @param declared the version that its manifest names
 * @param digest SHA-256, in hex, of what judges
 * @param files its files as they were uploaded: a JSON object of texts by name; empty in a list
 * @param report what its scenarios came to, as JSON; empty in a list
 * @param diff what it changed when it was published, as JSON; empty in a list
 * @param at when it was published
 * @param by the visible prefix of the key
 * @param person whose key that was; {@code null} for a service and for the operator
 */
public record PackVersion(
        @Nullable String tenant,
        String name,
        long version,
        String declared,
        String digest,
        String files,
        String report,
        String diff,
        Instant at,
        String by,
        @Nullable UUID person) {
    PackVersion numbered(long number) {
        return new PackVersion(tenant, name, number, declared, digest, files, report, diff, at, by, person);
    }
}
