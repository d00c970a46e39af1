package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.server.identity.PersonName;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The members of a body that manages something: of these names and no others, so that no slip goes unseen. */
final class Members {
    private static final int LONGEST_TEXT = 200;

    private static final int LONGEST_SHOWN = 100;

    /** What a member may not be; the message is for the caller. */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String message) {
            super(message);
        }
    }

    private final JsonNode body;

    /** Those of {@code body}, an object, in which only {@code names} may stand. */
    Members(JsonNode body, String... names) throws Unfit {
        this.body = body;
        var known = Set.of(names);
        for (Iterator<String> each = body.fieldNames(); each.hasNext(); ) {
            String name = each.next();
            if (!known.contains(name)) {
                String shown = name.length() <= LONGEST_SHOWN ? name : name.substring(0, LONGEST_SHOWN) + "...";
                throw new Unfit("there is no member `" + shown + "` here; there are " + String.join(", ", names));
            }
        }
    }

    /** Refuses a body. */
    static void refuse(RoutingContext ctx, Unfit cause) {
        Problems.send(ctx, 422, "invalid_body", String.valueOf(cause.getMessage()));
    }

    /** The text of a member, 1 to 200 characters; {@code null} if it is not given. */
    @Nullable
    String text(String name) throws Unfit {
        JsonNode value = body.get(name);
        if (value == null || value.isNull()) {
            return null;
        }
        if (!value.isTextual()
                || value.textValue().isBlank()
                || value.textValue().codePointCount(0, value.textValue().length()) > LONGEST_TEXT
                || value.textValue().indexOf('\0') >= 0) {
            throw new Unfit("`" + name + "` is a text of 1 to " + LONGEST_TEXT + " characters");
        }
        return value.textValue().strip();
    }

    /** The same of a member that has to be given. */
    String required(String name) throws Unfit {
        String value = text(name);
        if (value == null) {
            throw new Unfit("`" + name + "` is missing");
        }
        return value;
    }

    /** Whatever a member holds; {@code null} if it is not given. */
    @Nullable
    JsonNode json(String name) {
        return body.get(name);
    }

    /** The human whose name a member holds; {@code null} if it is not given. */
    @Nullable
    PersonName person(String name) throws Unfit {
        String value = text(name);
        try {
            return value == null ? null : PersonName.of(value);
        } catch (IllegalArgumentException e) {
            throw new Unfit("`" + name + "`: " + e.getMessage());
        }
    }

    /** The texts in a member; none if it is not given. */
    List<String> texts(String name) throws Unfit {
        JsonNode value = body.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return List.of();
        }
        var texts = new ArrayList<String>();
        value.forEach(entry -> texts.add(entry.textValue()));
        if (!value.isArray() || texts.contains(null)) {
            throw new Unfit("`" + name + "` is a list of texts");
        }
        return texts;
    }

    /** The boolean in a member that has to be given. */
    boolean bool(String name) throws Unfit {
        JsonNode value = body.path(name);
        if (!value.isBoolean()) {
            throw new Unfit("`" + name + "` is " + (value.isMissingNode() ? "missing: " : "") + "true or false");
        }
        return value.booleanValue();
    }

    /** The whole number in a member, from {@code least} to {@code most}. */
    long number(String name, long byDefault, long least, long most) throws Unfit {
        JsonNode value = body.path(name);
        if (value.isMissingNode()) {
            return byDefault;
        }
        if (!value.isIntegralNumber()
                || !value.canConvertToLong()
                || value.longValue() < least
                || value.longValue() > most) {
            throw new Unfit("`" + name + "` is a whole number from " + least + " to " + most);
        }
        return value.longValue();
    }

    /** The time in a member; {@code null} if it is not given. */
    @Nullable
    Instant time(String name) throws Unfit {
        JsonNode value = body.get(name);
        if (value == null || value.isNull()) {
            return null;
        }
        Instant time = value.isTextual() ? Attribute.parseTime(value.textValue()) : null;
        if (time == null) {
            throw new Unfit("`" + name + "` is a time such as 2026-03-02T09:00:00Z");
        }
        return time;
    }
}
