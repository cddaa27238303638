using System.Buffers.Text;
using Atrium.Core.Realms;
using Atrium.Server.Keys;

namespace Atrium.Server.Doors.OAuth.Dpop;

/// <summary>
/// Nonces for proofs (RFC 9449 section 8). Each is made of the window of time that it is for and of the keys that all nodes share, so that none is
/// stored and every node knows those of the others.
/// </summary>
public sealed class DpopNonces(SecretBox box, TimeProvider clock)
{
    /// <summary>A nonce is good for this long at least, and for twice as long at most.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    private const int Length = 16;

    /// <summary>The one to make proofs with.</summary>
    public string Current(Realm realm) => Of(realm, WindowNow)[0];

    /// <summary>Those of this window and the one before; and of the next, which another node's clock may have reached.</summary>
    public IReadOnlyCollection<string> Good(Realm realm)
    {
        long now = WindowNow;
        return [.. Of(realm, now), .. Of(realm, now - 1), .. Of(realm, now + 1)];
    }

    private long WindowNow => clock.GetUtcNow().Ticks / Window.Ticks;

    private string[] Of(Realm realm, long window) =>
        [.. box.MarksOf(SecretBox.Place("dpop nonce", realm.Id.ToString(), $"{window}"), Length).Select(static mark => Base64Url.EncodeToString(mark))];
}
