package dev.countersign.server.packs;

import dev.countersign.rules.pack.Pack;
import org.jspecify.annotations.Nullable;

/**
 * A published version of a pack that judges.
 *
 * @param name the pack's name
 * @param version the number of the version
 * @param pack the pack; {@code null} if what is stored does not pass the gate any more
 */
public record ActivePack(
        String name, long version, @Nullable Pack pack) {}
