package dev.countersign.rules.boundary;

import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.facts.Request;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** A test over the values of a space: asked once for each combination of values of the spots that it reads. */
final class Table implements Formula.Node {
    private static final long RADIX = 8_192; // more than a spot has values

    private final Space space;
    private final int side;
    private final int[] places;
    private final boolean tool;
    private final Condition condition;
    private final byte[] single;
    private byte other = Space.OPEN;
    private final Map<Long, Integer> joint = new HashMap<>(0);

    /**
     * A test.
     *
     * @param places the spots that it reads
     * @param tool whether it reads {@code tool}: then the resource's id alone decides it, where the resource is a tool
     */
    Table(Space space, int side, int[] places, boolean tool, Condition condition) {
        this.space = space;
        this.side = side;
        this.places = places;
        this.tool = tool;
        this.condition = condition;
        this.single = new byte
                [tool ? space.size(space.number(Spot.RESOURCE_ID)) : places.length == 1 ? space.size(places[0]) : 0];
        Arrays.fill(single, (byte) Space.OPEN);
    }

    @Override
    public int at(int[] assignment) {
        long key = 0;
        for (int place : places) {
            if (assignment[place] == Space.OPEN) {
                return Formula.OPEN;
            }
            key = key * RADIX + assignment[place];
        }
        if (tool && !space.isTool(assignment)) {
            // Whatever else it is, it is no tool.
            int type = space.number(Spot.RESOURCE_TYPE);
            if (other == Space.OPEN) {
                other = (byte) condition.test(space.single(side, type, assignment[type]));
            }
            return other;
        }
        if (places.length != 1 && !tool) {
            return joint.computeIfAbsent(key, made -> condition.test(joint(assignment)));
        }
        int place = tool ? space.number(Spot.RESOURCE_ID) : places[0];
        int value = assignment[place];
        if (single[value] == Space.OPEN) {
            single[value] = (byte) condition.test(space.single(side, place, value)); // alone, a resource is a tool
        }
        return single[value];
    }

    private Request joint(int[] assignment) {
        int[] some = space.blank();
        for (int place : places) {
            some[place] = assignment[place];
        }
        return space.request(side, some);
    }
}
