package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Bodies of AuthZEN requests about the records of the certification scenario. */
final class Asking {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private Asking() {}

    /** May the user do this to the record? */
    static ObjectNode call(String user, String action, String record) {
        ObjectNode call = NODES.objectNode();
        call.set("subject", entity("user", user));
        call.set("action", NODES.objectNode().put("name", action));
        call.set("resource", entity("record", record));
        return call;
    }

    static ObjectNode entity(String type, String id) {
        return NODES.objectNode().put("type", type).put("id", id);
    }

    /** The call with a property of one of its entities. */
    static ObjectNode with(ObjectNode call, String entity, String property, String value) {
        ((ObjectNode) call.get(entity)).withObjectProperty("properties").put(property, value);
        return call;
    }

    /** The call with a property of one of its entities. */
    static ObjectNode with(ObjectNode call, String entity, String property, boolean value) {
        ((ObjectNode) call.get(entity)).withObjectProperty("properties").put(property, value);
        return call;
    }

    /** The call without a member, named by its path. */
    static ObjectNode without(ObjectNode call, String path) {
        int dot = path.indexOf('.');
        if (dot < 0) {
            call.remove(path);
        } else {
            ((ObjectNode) call.get(path.substring(0, dot))).remove(path.substring(dot + 1));
        }
        return call;
    }

    /** A batch of these items without defaults. */
    static ObjectNode batch(ObjectNode... items) {
        ObjectNode batch = NODES.objectNode();
        var array = batch.putArray("evaluations");
        for (ObjectNode item : items) {
            array.add(item);
        }
        return batch;
    }

    static ObjectNode empty() {
        return NODES.objectNode();
    }
}
