package dev.countersign.server.http;

import dev.countersign.rules.facts.BadCall;
import io.vertx.ext.web.RoutingContext;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What stands in the path and the query of a request. */
final class Parameters {
    private static final int MAX_PAGE = 200;
    private static final int USUAL_PAGE = 50;

    private Parameters() {}

    /** A parameter, or {@code null} if it is not given or empty. */
    static @Nullable String text(RoutingContext ctx, String name) throws BadCall {
        String value;
        try {
            value = ctx.request().getParam(name);
        } catch (IllegalArgumentException e) {
            throw new BadCall("the query is not percent-encoded UTF-8");
        }
        if (value == null || value.isEmpty()) {
            return null;
        }
        if (value.indexOf('\0') >= 0) {
            // PostgreSQL refuses it in a text.
            throw new BadCall("`" + name + "` holds a NUL");
        }
        return value;
    }

    /** The id in the path. One that no id can be is as good as any other that is not there: the empty one. */
    static String id(RoutingContext ctx, String name) {
        String id = Objects.requireNonNull(ctx.pathParam(name));
        return id.indexOf('\0') >= 0 ? "" : id;
    }

    /** Whether a parameter is {@code true} or {@code false}; {@code null} if it is not given. */
    static @Nullable Boolean flag(RoutingContext ctx, String name) throws BadCall {
        String text = text(ctx, name);
        if (text == null) {
            return null;
        }
        if (!text.equals("true") && !text.equals("false")) {
            throw new BadCall("`" + name + "` is true or false");
        }
        return text.equals("true");
    }

    /** The whole number of a parameter; 0 if it is not given. */
    static long number(RoutingContext ctx, String name) throws BadCall {
        String text = text(ctx, name);
        if (text != null && !text.matches("[0-9]{1,18}")) {
            throw new BadCall("`" + name + "` is a whole number");
        }
        return text == null ? 0 : Long.parseLong(text);
    }

    /** The id that a text writes, {@code null} for none. */
    static @Nullable UUID uuid(@Nullable String text) throws BadCall {
        try {
            return text == null ? null : UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw new BadCall("`" + text.substring(0, Math.min(40, text.length())) + "` is no id (a UUID)");
        }
    }

    /** The id in the path, a UUID; where it is none, {@code unknown} answers and the result is null. */
    static @Nullable UUID uuidOr(RoutingContext ctx, Runnable unknown) {
        try {
            return uuid(id(ctx, "id"));
        } catch (BadCall e) {
            unknown.run();
            return null;
        }
    }

    /** How many entries a page has: {@code limit}, 50 if it is not given. */
    static int limit(RoutingContext ctx) throws BadCall {
        String text = text(ctx, "limit");
        if (text == null) {
            return USUAL_PAGE;
        }
        if (!text.matches("[1-9][0-9]{0,2}") || Integer.parseInt(text) > MAX_PAGE) {
            throw new BadCall("`limit` is a number from 1 to " + MAX_PAGE);
        }
        return Integer.parseInt(text);
    }
}
