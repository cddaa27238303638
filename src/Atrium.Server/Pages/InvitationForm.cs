using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Invitations;
using Atrium.Server.Keys;

namespace Atrium.Server.Pages;

/// <summary>
/// What a page of an invitation gives the browser to bring back, sealed: that the form is ours and this browser's, and how far its sign-in has
/// come. There is no client to sign in to, and so no sign-in is stored; a second factor is held to its challenge, which counts the tries.
/// </summary>
/// <param name="Browser">The mark of the browser that it was made for.</param>
/// <param name="User">Whose password was shown; null before.</param>
/// <param name="Password">When, and which.</param>
/// <param name="Challenge">What the code answers.</param>
internal sealed record InvitationForm(
    string Browser, DateTimeOffset ExpiresAt, string? User = null, ShownPassword? Password = null, string? Challenge = null)
{
    public const string FieldName = "form";

    private const int MaxLength = 1024;

    /// <summary>How long a page may stand open.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    public static InvitationForm New(SecretHash browser, DateTimeOffset now) => new(Convert.ToHexString(browser.Bytes), now + Lifetime);

    public InvitationForm Proved(Id<User> user, ShownPassword password, Id<FactorChallenge> challenge) =>
        this with { User = user.ToString(), Password = password, Challenge = challenge.ToString() };

    public string Seal(SecretBox box, Invitation invitation) => Base64Url.EncodeToString(
        box.Seal(JsonSerializer.SerializeToUtf8Bytes(this, InvitationFormJson.Default.InvitationForm), SecretPlaces.Of(invitation.RealmId, invitation.Id)));

    /// <summary>The form, if it is of this invitation and not too old; null otherwise.</summary>
    public static InvitationForm? Open(SecretBox box, Invitation invitation, string? text, DateTimeOffset now) =>
        text is { Length: > 0 and <= MaxLength } && Base64Url.IsValid(text)
        && box.Open(Base64Url.DecodeFromChars(text), SecretPlaces.Of(invitation.RealmId, invitation.Id)) is { } plain
        && JsonSerializer.Deserialize(plain, InvitationFormJson.Default.InvitationForm) is { } form
        && now < form.ExpiresAt
            ? form
            : null;
}

[JsonSerializable(typeof(InvitationForm))]
internal sealed partial class InvitationFormJson : JsonSerializerContext;
