package dev.countersign.server.packs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.countersign.rules.pack.Pack;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The published packs that judge, as they are read: no text passes the gate again while its pack is in use. What is not in use
 * takes no memory here. May be used from any thread.
 */
public final class PublishedPacks {
    private final Cache<String, Pack> parsed =
            Caffeine.newBuilder().weakValues().executor(Runnable::run).build();

    private record Version(String name, long version, String digest, boolean shadow) {}

    /** What was read of some planes. */
    public final class Read {
        private final Map<String, List<Version>> versions = new HashMap<>();
        private final Map<String, Pack> known = new HashMap<>();
        private final Map<String, String> files = new HashMap<>();

        /** The packs that answer in a plane, by name; reading their texts takes its time. */
        public List<ActivePack> active(String plane) {
            return packs(plane, false);
        }

        /** The packs that are evaluated beside them, by name. */
        public List<ActivePack> shadow(String plane) {
            return packs(plane, true);
        }

        private List<ActivePack> packs(String plane, boolean shadow) {
            return versions.getOrDefault(plane, List.of()).stream()
                    .filter(version -> version.shadow() == shadow)
                    .map(version -> new ActivePack(version.name(), version.version(), pack(version)))
                    .toList();
        }

        private @Nullable Pack pack(Version version) {
            Pack pack = known.get(version.digest());
            String text = files.get(version.digest());
            return pack != null || text == null ? pack : parse(version.digest(), text);
        }
    }

    /** The pack that stored files make; {@code null} if it does not pass the gate, or is not the one that was published. */
    public @Nullable Pack parse(String digest, String files) {
        Pack before = parsed.getIfPresent(digest);
        if (before != null) {
            return before;
        }
        try {
            Pack pack = PackFiles.parse(files).pack();
            if (pack == null || !pack.digest().equals(digest)) {
                return null;
            }
            parsed.put(digest, pack);
            return pack;
        } catch (JsonProcessingException | PackFiles.Unfit e) {
            return null;
        }
    }

    /** Reads which packs judge in these planes, of which the empty text is the operator's. */
    public Future<Read> read(SqlConnection connection, String[] planes) {
        return connection
                .preparedQuery("select coalesce(f.tenant, '') as plane, f.name, p.version, p.digest,"
                        + " p.version is not distinct from f.shadow as shadow from rule_packs_in_force f join rule_packs p"
                        + " on coalesce(p.tenant, '') = coalesce(f.tenant, '') and p.name = f.name"
                        + " and p.version in (f.active, f.shadow)"
                        + " where coalesce(f.tenant, '') = any($1) order by f.name")
                .execute(Tuple.of((Object) planes))
                .compose(rows -> {
                    var read = new Read();
                    var missing = new HashSet<String>();
                    for (Row row : rows) {
                        String digest = row.getString("digest");
                        read.versions
                                .computeIfAbsent(row.getString("plane"), plane -> new ArrayList<>())
                                .add(new Version(
                                        row.getString("name"),
                                        row.getLong("version"),
                                        digest,
                                        row.getBoolean("shadow")));
                        Pack known = parsed.getIfPresent(digest);
                        if (known == null) {
                            missing.add(digest);
                        } else {
                            read.known.put(digest, known);
                        }
                    }
                    return missing.isEmpty() ? Future.succeededFuture(read) : files(connection, planes, missing, read);
                });
    }

    private static Future<Read> files(SqlConnection connection, String[] planes, Set<String> missing, Read read) {
        return connection
                .preparedQuery("select digest, files from rule_packs where coalesce(tenant, '') = any($1)"
                        + " and digest = any($2)")
                .execute(Tuple.of(planes, (Object) missing.toArray(String[]::new)))
                .map(rows -> {
                    rows.forEach(row -> read.files.put(row.getString("digest"), row.getString("files")));
                    return read;
                });
    }
}
