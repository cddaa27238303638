using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Hosting;

namespace Atrium.Server.Pages;

/// <summary>Renders the steps and the refusals of an invitation as pages.</summary>
internal static class InvitationPages
{
    private static readonly OAuthError Outdated = new(
        "ATR1809", "invalid_request", "This page was left open too long, or belongs to another browser.", StatusCodes.Status400BadRequest);

    /// <summary>The page for what must come next.</summary>
    public static IResult Of(Visit visit, string form, string? error = null, string? name = null, int status = 0) => visit.Step switch
    {
        InvitationStep.OtherPerson other => PageResult.Message(
            new MessageModel(
                visit.Realm.Name,
                "You are signed in as somebody else",
                $"This browser is signed in as {other.Standing.Email}. The invitation to {visit.Opened!.Organization!.Name} is for {visit.Invitation.Email}.",
                "Sign out here, and go on as the person who is invited.",
                Button: new MessageButton("Sign out and go on", FormOf(visit, form, new HiddenField("sign_out", "yes"))),
                Tone: MessageTone.Question),
            StatusCodes.Status200OK),
        InvitationStep.Confirm => Page(visit, FormOf(visit, form, new HiddenField("join", "yes")), InvitationAsk.Join, error, name, status),
        InvitationStep.SignIn => Page(visit, FormOf(visit, form), InvitationAsk.SignIn, error, name, status),
        _ => Page(visit, FormOf(visit, form), InvitationAsk.Register, error, name ?? (visit.Step as InvitationStep.Register)?.Existing?.DisplayName, status),
    };

    public static IResult Code(Visit visit, string form, string? error = null, string? name = null, int status = StatusCodes.Status200OK) => PageResult.Code(
        new CodeModel(visit.Realm.Name, visit.Opened!.Organization!.Name, FormOf(visit, form), visit.Invitation.Email, error, StartAgain: visit.Path, TakesRecoveryCode: true),
        redirectUri: null,
        status);

    /// <summary>The end that was wanted.</summary>
    public static IResult Welcome(Visit visit, User person) => PageResult.Message(
        new MessageModel(
            visit.Realm.Name,
            $"Welcome to {visit.Opened!.Organization?.Name ?? visit.Realm.Name}",
            $"You are a member now, as {person.Email}.",
            "Open the application and sign in there; this browser is signed in already.",
            Tone: MessageTone.Done),
        StatusCodes.Status200OK);

    public static IResult Refused(Visit visit, InvitationRefusal reason)
    {
        const string ask = "Ask who invited you to send the invitation again.";
        (string id, string title, string sentence, string? next, int status) = reason switch
        {
            InvitationRefusal.Unknown =>
                ("ATR1801", "This invitation can’t be found", "The link is incomplete, or the invitation was sent again with a new one.",
                    "Open the newest letter, or copy the whole link.", StatusCodes.Status404NotFound),
            InvitationRefusal.Accepted =>
                ("ATR1802", "This invitation was accepted", "It works once.", "Open the application and sign in there.", StatusCodes.Status410Gone),
            InvitationRefusal.Revoked => ("ATR1803", "This invitation was taken back", "Its link opens nothing any more.", ask, StatusCodes.Status410Gone),
            InvitationRefusal.Expired => ("ATR1804", "This invitation has expired", "It was not accepted in time.", ask, StatusCodes.Status410Gone),
            InvitationRefusal.Frozen =>
                ("ATR1805", "This invitation waits", "The organization is suspended just now.", "Try again once it is active. The link stays good until it expires.",
                    StatusCodes.Status409Conflict),
            InvitationRefusal.UserDisabled =>
                ("ATR1806", "The account is disabled", "The account of the invited address can’t be used.", "Ask an administrator.", StatusCodes.Status403Forbidden),
            InvitationRefusal.Full =>
                ("ATR1807", "The organization is full", "It has as many members as it may.", "Ask who invited you to make room, then open the link again.",
                    StatusCodes.Status409Conflict),
            _ => ("ATR1808", "Your membership is suspended", "An invitation does not lift that.", "Ask an administrator of the organization.", StatusCodes.Status409Conflict),
        };
        visit.Context.NoteRefusal(id);
        return PageResult.Message(new MessageModel(visit.Realm.Name, title, sentence, next, id, visit.Context.TraceIdentifier), status);
    }

    /// <summary>A form that can't be believed to be this browser's.</summary>
    /// <param name="path">Where to begin anew; null where the form does not tell.</param>
    public static IResult StartAgain(HttpContext context, Realm realm, string? path)
    {
        context.NoteRefusal(Outdated.Id);
        return PageResult.Message(
            new MessageModel(
                realm.Name,
                "Please start again",
                Outdated.Sentence,
                path is null ? "Open the link of the letter once more." : null,
                Outdated.Id,
                context.TraceIdentifier,
                path is null ? null : new PageLink("Start again", path)),
            Outdated.Status);
    }

    private static PageResult Page(Visit visit, PageForm form, InvitationAsk ask, string? error, string? name, int status)
    {
        Invitation invitation = visit.Invitation;
        return PageResult.Invitation(
            new InvitationModel(
                visit.Realm.Name, visit.Opened!.Organization!.Name, invitation.InviterName, invitation.Title, invitation.Message, invitation.Email, form, ask, name, error),
            status != 0 ? status : error is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static PageForm FormOf(Visit visit, string form, params HiddenField[] more) =>
        new(visit.Path, [new(InvitationForm.FieldName, form), .. more]);
}
