using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;

namespace Atrium.Server.Webhooks;

/// <summary>Where messages go, by its ids.</summary>
public sealed record EndpointKey(Id<Realm> Realm, Id<Webhook> Webhook);

/// <summary>
/// Which endpoints have something due, what is under way to each, and how much more may begin: so many at once, and so few to one that nobody
/// who is slow or dead takes the room of the others. Used by one thread at a time.
/// </summary>
public sealed class DeliveryLines
{
    public const int MostAtOnce = 256;

    /// <summary>To one endpoint, while it answers as it should.</summary>
    public const int MostToOne = 8;

    /// <summary>To one whose last attempt failed.</summary>
    public const int MostToFailing = 1;

    private readonly Dictionary<EndpointKey, Line> lines = [];
    private HashSet<EndpointKey> due = [];

    /// <summary>Attempts that have begun and not ended.</summary>
    public int UnderWay { get; private set; }

    public void AddDue(EndpointKey endpoint) => due.Add(endpoint);

    /// <summary>
    /// The endpoints with something due to which more may begin now, and how much. One at its own bound is due again when an attempt of it ends;
    /// one for which there is no room at all stays due.
    /// </summary>
    public IReadOnlyList<(EndpointKey Endpoint, int Room)> Take()
    {
        List<(EndpointKey Endpoint, int Room)> taken = [];
        HashSet<EndpointKey> later = [];
        int left = MostAtOnce - UnderWay;
        foreach (EndpointKey endpoint in due)
        {
            Line? line = lines.GetValueOrDefault(endpoint);
            int room = Math.Min(left, (line is { IsFailing: true } ? MostToFailing : MostToOne) - (line?.UnderWay ?? 0));
            if (room > 0)
            {
                taken.Add((endpoint, room));
                left -= room;
            }
            else if (left == 0)
            {
                later.Add(endpoint);
            }
        }

        due = later;
        return taken;
    }

    public void Begin(EndpointKey endpoint)
    {
        if (!lines.TryGetValue(endpoint, out Line? line))
            lines[endpoint] = line = new Line();
        line.UnderWay++;
        UnderWay++;
    }

    public void End(EndpointKey endpoint, bool hasFailed)
    {
        UnderWay--;
        Line line = lines[endpoint];
        line.UnderWay--;
        line.IsFailing = hasFailed;
        if (line is { UnderWay: 0, IsFailing: false })
            lines.Remove(endpoint);
        due.Add(endpoint);
    }

    private sealed class Line
    {
        public int UnderWay { get; set; }

        /// <summary>Its last attempt failed.</summary>
        public bool IsFailing { get; set; }
    }
}
