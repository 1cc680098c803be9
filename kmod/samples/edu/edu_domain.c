// SPDX-License-Identifier: GPL-2.0
/*
 * Two devices and one buffer of a DMA domain. Each is given the one logical
 * address that the buffer has for both:
 *
 *   lower half -> first device -> upper half -> second device -> lower half
 *
 * The lower half is cleared on the way, and must have its pattern again in the
 * end.
 */
#include <wdm.h>
#include "edu.h"

#define EDU_HALF	2048	/* of what the device holds, not of a page */

/* What the processor writes first, and wants to see last. */
static UCHAR EduDomainPattern(_In_ ULONG Index)
{
	return (UCHAR)(Index * 11 + (Index >> 8) * 3 + 1);
}

static ULONG EduDomainCheck(_In_reads_(EDU_HALF) PUCHAR Half)
{
	ULONG Mismatches = 0;
	ULONG Index;

	for (Index = 0; Index < EDU_HALF; Index++) {
		if (Half[Index] != EduDomainPattern(Index))
			Mismatches++;
	}
	return Mismatches;
}

/* Takes one half of the buffer to a device, and on into the other half. */
static NTSTATUS EduDomainCopy(_In_ PEDU_EXTENSION Extension,
			      _In_ PHYSICAL_ADDRESS From,
			      _In_ PHYSICAL_ADDRESS To)
{
	NTSTATUS Status;

	Status = EduMoveLogical(Extension, From, EDU_HALF, TRUE);
	if (NT_SUCCESS(Status))
		Status = EduMoveLogical(Extension, To, EDU_HALF, FALSE);
	return Status;
}

static NTSTATUS EduDomainMove(_In_ PEDU_EXTENSION First,
			      _In_ PEDU_EXTENSION Second,
			      _In_ PHYSICAL_ADDRESS Lower,
			      _In_reads_(PAGE_SIZE) PUCHAR Memory)
{
	PHYSICAL_ADDRESS Upper;
	NTSTATUS Status;
	ULONG Index;

	Upper.QuadPart = Lower.QuadPart + EDU_HALF;
	for (Index = 0; Index < EDU_HALF; Index++)
		Memory[Index] = EduDomainPattern(Index);

	Status = EduDomainCopy(First, Lower, Upper);
	if (!NT_SUCCESS(Status))
		return Status;
	First->Report.Mismatches += EduDomainCheck(Memory + EDU_HALF);

	RtlZeroMemory(Memory, EDU_HALF);
	Status = EduDomainCopy(Second, Upper, Lower);
	if (!NT_SUCCESS(Status))
		return Status;
	Second->Report.Mismatches += EduDomainCheck(Memory);
	return STATUS_SUCCESS;
}

/* The second device is a member. */
static NTSTATUS EduDomainShare(_In_ PEDU_EXTENSION First,
			       _In_ PEDU_EXTENSION Second, _In_ HANDLE Domain,
			       _Out_ PPHYSICAL_ADDRESS Logical)
{
	PDMA_ADAPTER Adapter = First->DmaAdapter;
	PVOID Memory = NULL;
	NTSTATUS Status;

	Status = Adapter->DmaOperations->AllocateDomainCommonBuffer(Adapter,
				Domain, NULL, PAGE_SIZE, 0, NULL,
				MM_ANY_NODE_OK, Logical, &Memory);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = EduDomainMove(First, Second, *Logical, Memory);
	Adapter->DmaOperations->FreeCommonBuffer(Adapter, PAGE_SIZE, *Logical,
						 Memory, TRUE);
	return Status;
}

static VOID EduDomainBegin(_In_ PEDU_EXTENSION Extension)
{
	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	InterlockedExchange(&Extension->Interrupts, 0);
}

static VOID EduDomainEnd(_In_ PEDU_EXTENSION Extension,
			 _Out_ PEDU_REPORT Report)
{
	Extension->Report.Interrupts =
		InterlockedExchange(&Extension->Interrupts, 0);
	*Report = Extension->Report;
}

_Use_decl_annotations_
NTSTATUS EduRunDomain(PDEVICE_OBJECT FirstObject, PDEVICE_OBJECT SecondObject,
		      PPHYSICAL_ADDRESS Logical, PEDU_REPORT Reports)
{
	PEDU_EXTENSION First = FirstObject->DeviceExtension;
	PEDU_EXTENSION Second = SecondObject->DeviceExtension;
	PDMA_ADAPTER Home = First->DmaAdapter;
	PDMA_ADAPTER Joiner = Second->DmaAdapter;
	NTSTATUS Status = STATUS_NOT_SUPPORTED;
	HANDLE Domain;

	EduDomainBegin(First);
	EduDomainBegin(Second);
	Logical->QuadPart = 0;
	Domain = Home->DmaOperations->GetDmaDomain(Home);
	if (First->Failed || Second->Failed)
		Status = STATUS_DEVICE_NOT_READY;
	else if (Domain)
		Status = Joiner->DmaOperations->JoinDmaDomain(Joiner, Domain);
	if (NT_SUCCESS(Status)) {
		Status = EduDomainShare(First, Second, Domain, Logical);
		Joiner->DmaOperations->LeaveDmaDomain(Joiner);
	}
	EduDomainEnd(First, &Reports[0]);
	EduDomainEnd(Second, &Reports[1]);
	return Status;
}
