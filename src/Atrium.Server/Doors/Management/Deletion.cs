using System.Text.Json.Serialization.Metadata;

namespace Atrium.Server.Doors.Management;

/// <summary>A DELETE: of the thing as its caller knows it, if they say what they know (<c>If-Match</c>).</summary>
public sealed class Deletion(HttpContext context)
{
    private readonly IfMatch ifMatch = IfMatch.Of(context.Request);
    private bool changed;

    /// <summary>Whether the thing, as it is at the moment of its deletion, is the one that the caller means.</summary>
    public bool Allows<T>(T shown, JsonTypeInfo<T> type)
    {
        changed = !ifMatch.Allows(shown, type);
        return !changed;
    }

    public IResult Answer(bool deleted) => deleted ? TypedResults.NoContent() : changed ? ManagementError.PreconditionFailed : ManagementError.NotFound;
}
