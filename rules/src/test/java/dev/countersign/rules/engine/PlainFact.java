package dev.countersign.rules.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Stored;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.facts.Vocabulary;
import dev.countersign.rules.pack.Pack;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A request as ordinary DRL sees it in tests: values by {@code pack/name}, read from the JSON by code that shares
 * nothing with the product's.
 */
public final class PlainFact {
    private static final Object UNAVAILABLE = new Object();
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Object> values = new HashMap<>();
    private final Map<String, Object> params = new HashMap<>();
    private final Map<String, List<String>> lists = new HashMap<>();
    private final Set<String> hits = new HashSet<>();
    private final long now;
    private final Stored stored;

    PlainFact(Request request, List<Pack> packs) {
        now = request.now().toEpochMilli();
        var body = JSON.createObjectNode();
        body.set("subject", request.call().subject());
        body.set("action", request.call().action());
        body.set("resource", request.call().resource());
        body.set("context", request.call().context());
        stored = request.call().stored();
        boolean tool = body.at("/resource/type").asText().equals("tool");
        body.set("arguments", body.at(tool ? "/resource/properties" : "/action/properties"));
        for (Pack pack : packs) {
            Vocabulary names = pack.vocabulary();
            names.attributes()
                    .values()
                    .forEach(attribute -> values.put(
                            pack.name() + "/" + attribute.name(), read(attribute, body, request.tenant(), tool)));
            names.params().values().forEach(param -> params.put(pack.name() + "/" + param.name(), param.value()));
            names.lists().values().forEach(list -> lists.put(pack.name() + "/" + list.name(), list.entries()));
        }
    }

    private Object read(Attribute attribute, JsonNode body, String tenant, boolean tool) {
        switch (attribute.name()) {
            case "tenant":
                return tenant;
            case "now":
                return now;
            case "tool":
                return tool ? body.at("/resource/id").asText() : null;
            default:
                List<String> path = Arrays.asList(
                        attribute.source().text().replace("[*]", ".*").split("\\."));
                Object found = path.get(0).equals("entities")
                        ? stored(path.get(1), path.subList(2, path.size()))
                        : walk(body, path);
                return attribute.name().equals("mode") && found == null ? "auto" : typed(found, attribute.type());
        }
    }

    private Object stored(String reference, List<String> path) {
        for (var each : stored.references().entrySet()) {
            if (each.getKey().name().equals(reference)) {
                return each.getValue() instanceof Found.Entity entity
                        ? walk(entity.properties(), path)
                        : each.getValue() == Found.Nothing.UNKNOWN ? null : UNAVAILABLE;
            }
        }
        return UNAVAILABLE;
    }

    private static Object walk(JsonNode node, List<String> path) {
        if (node == null || node.isNull() || node.isMissingNode()) {
            return null;
        }
        if (path.isEmpty()) {
            return node;
        }
        List<String> rest = path.subList(1, path.size());
        if (!path.get(0).equals("*")) {
            return node.isObject() ? walk(node.get(path.get(0)), rest) : UNAVAILABLE;
        }
        if (!node.isArray()) {
            return UNAVAILABLE;
        }
        var out = new ArrayList<Object>();
        for (JsonNode element : node) {
            Object value = walk(element, rest);
            if (value instanceof List<?> many) {
                out.addAll(many);
            } else {
                out.add(value);
            }
        }
        return out;
    }

    private static Object typed(Object found, Type type) {
        if (found == null || found == UNAVAILABLE) {
            return found;
        }
        if (type == Type.LIST) {
            var elements = new ArrayList<Object>();
            if (found instanceof List<?> many) {
                elements.addAll(many);
            } else if (((JsonNode) found).isArray()) {
                ((JsonNode) found).forEach(elements::add);
            } else {
                return UNAVAILABLE;
            }
            return elements.stream()
                    .map(element -> element instanceof JsonNode node && node.isTextual() ? node.asText() : null)
                    .collect(Collectors.toList());
        }
        JsonNode node = (JsonNode) found;
        if (type == Type.TEXT && node.isTextual()) {
            return node.asText();
        }
        if (type == Type.NUMBER && node.isNumber()) {
            return node.asDouble();
        }
        if (type == Type.BOOL && node.isBoolean()) {
            return node.asBoolean();
        }
        if (type == Type.TIME && node.isTextual()) {
            try {
                return OffsetDateTime.parse(node.asText()).toInstant().toEpochMilli();
            } catch (DateTimeException e) {
                return UNAVAILABLE;
            }
        }
        return UNAVAILABLE;
    }

    public boolean unavailable(String name) {
        return values.get(name) == UNAVAILABLE;
    }

    public boolean absent(String name) {
        return values.get(name) == null;
    }

    public boolean known(String name) {
        return !absent(name) && !unavailable(name);
    }

    public String text(String name) {
        return values.get(name) instanceof String text ? text : null;
    }

    public double number(String name) {
        return values.get(name) instanceof Double number ? number + 0.0 : 0;
    }

    public boolean bool(String name) {
        return Boolean.TRUE.equals(values.get(name));
    }

    public long time(String name) {
        return values.get(name) instanceof Long millis ? millis : 0;
    }

    @SuppressWarnings("unchecked")
    public List<String> list(String name) {
        return values.get(name) instanceof List<?> list ? (List<String>) list : List.of();
    }

    public String paramText(String name) {
        return (String) params.get(name);
    }

    public double paramNumber(String name) {
        return (Double) params.get(name);
    }

    public boolean paramBool(String name) {
        return (Boolean) params.get(name);
    }

    public long paramTime(String name) {
        return ((java.time.Instant) params.get(name)).toEpochMilli();
    }

    public double hoursSince(String name) {
        return (now - time(name)) / 3_600_000.0;
    }

    /** Whether some element of the list is no text. */
    public boolean hole(String list) {
        return list(list).contains(null);
    }

    public boolean has(String list, String text) {
        return text != null && list(list).contains(text);
    }

    public double count(String list) {
        return list(list).size();
    }

    public double count(String list, String glob) {
        return list(list).stream()
                .filter(text -> text != null && like(text, glob))
                .count();
    }

    public boolean glob(String name, String glob) {
        return text(name) != null && like(text(name), glob);
    }

    private static boolean like(String text, String glob) {
        String regex = Arrays.stream(glob.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
        return Pattern.compile(regex, Pattern.DOTALL).matcher(text).matches();
    }

    public boolean listed(String list, String text) {
        return text != null && lists.get(list).stream().anyMatch(entry -> like(text, entry));
    }

    public boolean address(String name) {
        return text(name) != null && bytes(text(name)) != null;
    }

    public boolean inside(String name, String block) {
        byte[] address = text(name) == null ? null : bytes(text(name));
        byte[] network = bytes(block.substring(0, block.indexOf('/')));
        int prefix = Integer.parseInt(block.substring(block.indexOf('/') + 1));
        if (address == null || network == null || address.length != network.length) {
            return false;
        }
        var a = new java.math.BigInteger(1, address).shiftRight(address.length * 8 - prefix);
        return a.equals(new java.math.BigInteger(1, network).shiftRight(address.length * 8 - prefix));
    }

    private static byte[] bytes(String text) {
        boolean v4 = text.matches("((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.(?!$)|$)){4}");
        try {
            return v4 || text.matches("[0-9A-Fa-f:]*:[0-9A-Fa-f:]*")
                    ? InetAddress.getByName(text).getAddress()
                    : null;
        } catch (UnknownHostException e) {
            return null;
        }
    }

    public void hit(String rule) {
        hits.add(rule);
    }

    Set<String> hits() {
        return hits;
    }
}
