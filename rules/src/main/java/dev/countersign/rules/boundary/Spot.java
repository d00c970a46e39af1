package dev.countersign.rules.boundary;

import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.SourcePath;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A place of a request at which values are tried: a member of one of its parts, or the clock.
 *
 * @param root the part, or {@code null} for the clock
 * @param reference the stored entity of which this is a member, or {@code null}
 * @param steps the member names from there; no {@code *}
 */
record Spot(SourcePath.@Nullable Root root, @Nullable Reference reference, List<String> steps) {
    static final Spot NOW = new Spot(null, List.of());
    static final Spot SUBJECT_TYPE = new Spot(SourcePath.Root.SUBJECT, List.of("type"));
    static final Spot SUBJECT_ID = new Spot(SourcePath.Root.SUBJECT, List.of("id"));
    static final Spot RESOURCE_TYPE = new Spot(SourcePath.Root.RESOURCE, List.of("type"));
    static final Spot RESOURCE_ID = new Spot(SourcePath.Root.RESOURCE, List.of("id"));

    /** A place in the request itself. */
    Spot(SourcePath.@Nullable Root root, List<String> steps) {
        this(root, null, steps);
    }

    private static final List<Spot> REQUIRED = List.of(
            SUBJECT_TYPE, SUBJECT_ID, new Spot(SourcePath.Root.ACTION, List.of("name")), RESOURCE_TYPE, RESOURCE_ID);

    /** The spots that decide an attribute; the tenant has none, since all requests come from one. */
    static List<Spot> of(Attribute attribute) {
        if (attribute.builtIn() == BuiltIn.NOW) {
            return List.of(NOW);
        }
        if (attribute.builtIn() == BuiltIn.TOOL) {
            return List.of(RESOURCE_TYPE, RESOURCE_ID);
        }
        SourcePath source = attribute.source();
        if (source == null) {
            return List.of();
        }
        int star = source.steps().indexOf("*");
        var own = new Spot(
                source.root(),
                source.reference(),
                star < 0 ? source.steps() : source.steps().subList(0, star));
        boolean party = attribute.builtIn() == BuiltIn.AGENT || attribute.builtIn() == BuiltIn.USER;
        return party ? List.of(SUBJECT_TYPE, SUBJECT_ID, own) : List.of(own);
    }

    /** Whether the other spot is this one, or lies inside of it. */
    boolean holds(Spot other) {
        return root == other.root
                && Objects.equals(reference, other.reference)
                && other.steps.size() >= steps.size()
                && other.steps.subList(0, steps.size()).equals(steps);
    }

    /** Whether every request has a text here. */
    boolean required() {
        return REQUIRED.contains(this);
    }

    /**
     * Whether both may be one place of a request under two names: arguments are the properties of the resource or of the
     * action.
     */
    boolean aliases(Spot other) {
        if (root != SourcePath.Root.ARGUMENTS
                || (other.root != SourcePath.Root.RESOURCE && other.root != SourcePath.Root.ACTION)
                || !other.steps.get(0).equals("properties")) {
            return false;
        }
        var inside = new Spot(root, other.steps.subList(1, other.steps.size()));
        return holds(inside) || inside.holds(this);
    }
}
