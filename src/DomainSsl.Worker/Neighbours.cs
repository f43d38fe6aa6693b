using System.Numerics.Tensors;

namespace DomainSsl.Worker;

/// <summary>Nearest by the angle between features: the cosine distance, 0 (same direction) to 2. All are compared; a hundred thousand take some tens of milliseconds.</summary>
public sealed class Neighbours
{
    private readonly long[] _items;
    private readonly float[][] _directions;

    /// <summary>Prepares items with their features.</summary>
    public Neighbours(IEnumerable<(long Item, float[] Features)> items)
    {
        var all = items.ToList();
        _items = [.. all.Select(a => a.Item)];
        _directions = [.. all.Select(a => Direction(a.Features))];
    }

    /// <summary>The nearest items, nearest first; of equals the one that was imported first.</summary>
    public IReadOnlyList<(long Item, double Distance)> Of(float[] features, int count, long? except = null)
    {
        var direction = Direction(features);
        var nearest = new PriorityQueue<(long Item, double Distance), (double, long)>(Comparer<(double, long)>.Create((a, b) => b.CompareTo(a)));
        for (var i = 0; i < _items.Length; i++)
        {
            if (_items[i] == except) continue;
            double distance = Math.Max(0, 1 - TensorPrimitives.Dot<float>(direction, _directions[i]));
            nearest.Enqueue((_items[i], distance), (distance, _items[i]));
            if (nearest.Count > count) nearest.Dequeue();
        }
        return [.. nearest.UnorderedItems.Select(n => n.Element).OrderBy(n => n.Distance).ThenBy(n => n.Item)];
    }

    private static float[] Direction(float[] features)
    {
        var length = TensorPrimitives.Norm<float>(features);
        var direction = new float[features.Length];
        if (length > 0) TensorPrimitives.Divide(features, length, direction);
        return direction;
    }
}
