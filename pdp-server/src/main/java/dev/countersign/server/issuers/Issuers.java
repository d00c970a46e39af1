package dev.countersign.server.issuers;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** All issuers whose tokens were good at one instant, with the persons behind their subjects. Immutable. */
public final class Issuers {
    /** No issuers. */
    public static final Issuers NONE = new Issuers(List.of(), Map.of());

    /** A person behind a subject. */
    record Known(UUID person, String name, boolean approves) {}

    private final Map<String, List<Issuer>> byName;
    private final Map<UUID, Map<String, Known>> subjects;

    Issuers(Collection<Issuer> issuers, Map<UUID, Map<String, Known>> subjects) {
        this.byName = issuers.stream().collect(Collectors.groupingBy(Issuer::issuer));
        this.subjects = Map.copyOf(subjects);
    }

    /** The registrations of an issuer. */
    List<Issuer> named(String issuer) {
        return byName.getOrDefault(issuer, List.of());
    }

    /** The person behind a subject, or {@code null} if it is a service. */
    @Nullable
    Known person(UUID issuer, String sub) {
        return subjects.getOrDefault(issuer, Map.of()).get(sub);
    }

    List<Issuer> all() {
        return byName.values().stream().flatMap(List::stream).toList();
    }
}
