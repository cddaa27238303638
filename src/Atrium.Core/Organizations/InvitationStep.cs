using Atrium.Core.Users;

namespace Atrium.Core.Organizations;

/// <summary>Everything that a decision about an invitation may depend on.</summary>
/// <param name="Organization">Null when it is gone, or on its way out.</param>
/// <param name="Standing">Who is signed in where the link was opened.</param>
/// <param name="Invited">Who has the address, if anybody has an account under it.</param>
/// <param name="InvitedCanSignIn">Whether that account has anything to sign in with.</param>
public sealed record InvitationFacts(
    DateTimeOffset Now, Invitation? Invitation, Organization? Organization, User? Standing = null, User? Invited = null, bool InvitedCanSignIn = true);

/// <summary>Why an invitation can't be accepted.</summary>
public enum InvitationRefusal
{
    /// <summary>There is none of this secret: never was, was sent again under another one, or its organization is gone.</summary>
    Unknown,
    Accepted,
    Revoked,
    Expired,

    /// <summary>The organization is suspended; the invitation waits for it.</summary>
    Frozen,

    /// <summary>The account of the address is disabled.</summary>
    UserDisabled,

    /// <summary>The organization has as many members as it may.</summary>
    Full,

    /// <summary>The person's membership is suspended; an invitation does not lift that.</summary>
    MembershipSuspended,
}

/// <summary>What must happen before an invitation is accepted.</summary>
public abstract record InvitationStep
{
    private InvitationStep()
    {
    }

    /// <summary>It can't be.</summary>
    public sealed record Refuse(InvitationRefusal Reason) : InvitationStep;

    /// <summary>Somebody else is signed in, and has to sign out first.</summary>
    public sealed record OtherPerson(User Standing) : InvitationStep;

    /// <summary>The right person is signed in, and says yes.</summary>
    public sealed record Confirm(User User) : InvitationStep;

    /// <summary>The address has an account: its owner signs in.</summary>
    public sealed record SignIn(User User) : InvitationStep;

    /// <summary>The person chooses a password, and a name. <paramref name="Existing"/> is an account that has no password yet.</summary>
    public sealed record Register(User? Existing) : InvitationStep;

    /// <summary>
    /// Decides what an opened link leads to. Pure. The link proves the mailbox and nothing more: who has an account under the address signs in
    /// to it, and who is signed in as somebody else accepts nothing.
    /// </summary>
    public static InvitationStep Next(InvitationFacts facts) => facts switch
    {
        { Invitation: null } or { Organization: null } => new Refuse(InvitationRefusal.Unknown),
        _ when RefusalOf(facts.Invitation.StateAt(facts.Now)) is { } over => new Refuse(over),
        { Organization.Status: not OrganizationStatus.Active } => new Refuse(InvitationRefusal.Frozen),
        { Invited.Status: not UserStatus.Active } => new Refuse(InvitationRefusal.UserDisabled),
        { Standing: { } standing } when standing.Id != facts.Invited?.Id => new OtherPerson(standing),
        { Standing: { } standing } => new Confirm(standing),
        { Invited: { } invited, InvitedCanSignIn: true } => new SignIn(invited),
        _ => new Register(facts.Invited),
    };

    private static InvitationRefusal? RefusalOf(InvitationState state) => state switch
    {
        InvitationState.Accepted => InvitationRefusal.Accepted,
        InvitationState.Revoked => InvitationRefusal.Revoked,
        InvitationState.Expired => InvitationRefusal.Expired,
        _ => null,
    };
}
